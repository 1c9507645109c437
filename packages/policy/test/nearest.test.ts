// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of policies are written like this.
import { resolveTopic } from '@sallyport/model';
import { describe, expect, it } from 'vitest';
import { compilePolicy } from '../src/compile.ts';
import type { Action, Subject } from '../src/decision.ts';
import type { PolicyDocument } from '../src/document.ts';
import { nearestPermitted } from '../src/nearest.ts';
import { WATSON_POLICY } from '../src/watson-policy.ts';
import { DESK, HUB, NOON, PUMP } from './subjects.ts';

function nearest(
  subject: Subject,
  action: Action,
  resource: string,
  ...documents: PolicyDocument[]
): string | undefined {
  const answer = compilePolicy([WATSON_POLICY, ...documents]);
  if (!answer.ok) throw new Error(JSON.stringify(answer.problems));
  const { principal } = subject;
  const full =
    action !== 'connect' && principal.kind !== 'application' && principal.kind !== 'operator'
      ? resolveTopic(principal, resource)
      : resource;
  return nearestPermitted(answer.policy, subject, action, full, NOON);
}

describe('nearestPermitted', () => {
  it.each<[string, Subject, Action, string, string | undefined]>([
    ['a device that misspells evt', PUMP, 'publish', 'iot-2/event/temp/fmt/json', 'iot-2/evt/+/fmt/+'],
    ['a device that leaves out the format', PUMP, 'publish', 'iot-2/evt/temp', 'iot-2/evt/+/fmt/+'],
    [
      'a device that names another device',
      PUMP,
      'publish',
      'iot-2/type/pump/id/pump-8/evt/temp/fmt/json',
      'iot-2/evt/+/fmt/+',
    ],
    ['a device that publishes anywhere', PUMP, 'publish', 'sensors/temp', 'iot-2/evt/+/fmt/+'],
    ['a device that misspells the protocol', PUMP, 'publish', 'iotdevice-1/mgmt/manage/now', 'iotdevice-1/mgmt/+'],
    ['a device that subscribes to all its commands', PUMP, 'subscribe', 'iot-2/cmd/#', 'iot-2/cmd/+/fmt/+'],
    ['an application that wants everything', DESK, 'subscribe', '#', 'iot-2/type/+/id/+/evt/+/fmt/+'],
    [
      'an application that wants all of a device',
      DESK,
      'subscribe',
      'iot-2/type/pump/id/pump-7/#',
      'iot-2/type/+/id/+/evt/+/fmt/+',
    ],
    [
      'an application that uses the short form',
      DESK,
      'publish',
      'iot-2/cmd/c/fmt/json',
      'iot-2/type/+/id/+/cmd/+/fmt/+',
    ],
    ['a gateway that wants events', HUB, 'subscribe', 'iot-2/type/+/id/+/evt/+/fmt/+', 'iot-2/type/+/id/+/cmd/+/fmt/+'],
    ['a wrong client id', PUMP, 'connect', 'd:demo:pump:pump-8', 'd:demo:pump:pump-7'],
    ['an instance of another application', DESK, 'connect', 'A:demo:desks:1', 'A:demo:desk:*'],
    ['an application without a role', { ...DESK, roles: [] }, 'publish', 'a', undefined],
    ['a device that manages', PUMP, 'manage', 'devices/create', undefined],
  ])('helps %s', (_who, subject, action, asked, expected) => {
    expect(nearest(subject, action, asked)).toBe(expected);
  });

  it('fills in what belongs to the subject and leaves out what a deny takes away', () => {
    const document: PolicyDocument = {
      organisation: 'demo',
      statements: [
        {
          id: 'notes',
          effect: 'permit',
          principals: ['device:*'],
          actions: ['publish', 'subscribe'],
          resources: ['notes/${principal.id}/#'],
        },
        { id: 'quiet', effect: 'deny', principals: ['device:*'], actions: ['subscribe'], resources: ['notes/#'] },
      ],
    };
    expect(nearest(PUMP, 'publish', 'notes/pump-8/a', document)).toBe('notes/pump-7/#');
    expect(nearest(PUMP, 'subscribe', 'notes/pump-8/a', document)).toBe('iot-2/cmd/+/fmt/+');
  });

  it('does not grow with what is asked', () => {
    expect(nearest(DESK, 'subscribe', 'iot-2/'.repeat(10_000))).toBeDefined();
    expect(nearest(DESK, 'connect', 'x'.repeat(60_000))).toBeDefined();
  });
});
