import { describe, expect, it } from 'vitest';
import { UsageError } from '../src/report-failure.ts';
import { applicationReference, deviceReference } from '../src/thing-names.ts';

describe('names on the command line', () => {
  it('reads every form of a device', () => {
    expect(deviceReference('pump')).toEqual({ type: 'pump' });
    expect(deviceReference('pump/pump-7')).toEqual({ type: 'pump', id: 'pump-7' });
    const whole = { organisation: 'demo', type: 'pump', id: 'pump-7' };
    expect(deviceReference('demo/pump/pump-7')).toEqual(whole);
    expect(deviceReference('device:demo/pump/pump-7')).toEqual(whole);
    expect(deviceReference('gateway:demo/pump/pump-7')).toEqual(whole);
  });

  it('reads every form of an application', () => {
    expect(applicationReference('desk')).toEqual({ id: 'desk' });
    expect(applicationReference('application:demo/desk')).toEqual({ organisation: 'demo', id: 'desk' });
  });

  it.each(['', '/', 'a//b', 'a/b/c/d', 'a/'])('refuses %j as a device', (text) => {
    expect(() => deviceReference(text)).toThrow(UsageError);
  });
});
