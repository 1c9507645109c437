import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DevicePrincipal } from '../src/principal.ts';
import { presentTopic, resolveFilter, resolveTopic } from '../src/scope.ts';
import { filterCovers, parseTopicFilter, topicMatches } from '../src/topic.ts';

const pump: DevicePrincipal = { kind: 'device', organisation: 'demo', type: 'pump', id: 'pump-7' };
const hub: DevicePrincipal = { kind: 'gateway', organisation: 'demo', type: 'hub', id: 'hub-1' };

const ids = fc.stringMatching(/^[A-Za-z0-9_.-]{1,6}$/);
const devices: fc.Arbitrary<DevicePrincipal> = fc.record({
  kind: fc.constant('device' as const),
  organisation: ids,
  type: ids,
  id: ids,
});
const levels = fc.constantFrom(
  'iot-2',
  'iotdm-1',
  'iotdevice-1',
  'IOT-2',
  'type',
  'id',
  'pump',
  'pump-7',
  'evt',
  '..',
  '.',
  '',
  '%2f',
  '$share',
  'x',
);
const topics = fc.array(levels, { minLength: 1, maxLength: 8 }).map((parts) => parts.join('/'));
const filters = fc
  .array(fc.oneof(levels, fc.constantFrom('+', '#')), { minLength: 1, maxLength: 8 })
  .map((parts) => parts.join('/'))
  .filter((text) => parseTopicFilter(text).ok);

describe('the scope of a device', () => {
  it('is inserted after the first slash of its own topics', () => {
    expect(resolveTopic(pump, 'iot-2/evt/temp/fmt/json')).toBe('iot-2/type/pump/id/pump-7/evt/temp/fmt/json');
    expect(resolveTopic(pump, 'iotdevice-1/mgmt/manage')).toBe('iotdevice-1/type/pump/id/pump-7/mgmt/manage');
    expect(resolveFilter(pump, 'iotdm-1/#')).toBe('iotdm-1/type/pump/id/pump-7/#');
    expect(resolveFilter(pump, 'iot-2/cmd/+/fmt/+')).toBe('iot-2/type/pump/id/pump-7/cmd/+/fmt/+');
  });

  it('leaves every other first level as it is, compared byte by byte', () => {
    for (const topic of [
      'iot-2',
      'IOT-2/evt/a/fmt/b',
      'iot-2%2Fevt/a',
      '/iot-2/evt',
      'iot-20/evt',
      '$share/g/iot-2/evt',
      '../iot-2/evt',
      'iot-2\\evt',
    ]) {
      expect(resolveTopic(pump, topic)).toBe(topic);
    }
  });

  it('holds a device that names another device inside its own topics', () => {
    expect(resolveTopic(pump, 'iot-2/type/pump/id/pump-8/evt/e/fmt/json')).toBe(
      'iot-2/type/pump/id/pump-7/type/pump/id/pump-8/evt/e/fmt/json',
    );
    expect(resolveTopic(pump, 'iot-2/../../type/pump/id/pump-8/evt/e/fmt/json')).toContain(
      'iot-2/type/pump/id/pump-7/../..',
    );
    expect(resolveFilter(pump, 'iot-2/#')).toBe('iot-2/type/pump/id/pump-7/#');
  });

  it('can never reach the topics of another device', () => {
    fc.assert(
      fc.property(devices, devices, topics, filters, (one, other, topic, filter) => {
        fc.pre(one.type !== other.type || one.id !== other.id);
        for (const head of ['iot-2', 'iotdm-1', 'iotdevice-1']) {
          const theirs = `${head}/type/${other.type}/id/${other.id}/#`;
          expect(topicMatches(theirs, resolveTopic(one, topic))).toBe(false);
          if (filter.startsWith(`${head}/`)) {
            expect(filterCovers(`${head}/type/${one.type}/id/${one.id}/#`, resolveFilter(one, filter))).toBe(true);
          }
        }
      }),
    );
  });

  it('is taken off again: what a device names comes back under the same name', () => {
    fc.assert(
      fc.property(devices, topics, (device, topic) => {
        // A device that writes its own scope out is scoped a second time, so that only one layer may come off.
        expect(presentTopic(device, resolveTopic(device, topic))).toBe(
          topic.startsWith('iot') ? topic : presentTopic(device, topic),
        );
      }),
      { numRuns: 2000 },
    );
  });

  it('stays on the topics of others', () => {
    expect(presentTopic(pump, 'iot-2/type/pump/id/pump-70/evt/e/fmt/json')).toBe(
      'iot-2/type/pump/id/pump-70/evt/e/fmt/json',
    );
    expect(presentTopic(pump, 'iot-2/app/desk/mon')).toBe('iot-2/app/desk/mon');
    expect(presentTopic(pump, 'iot-2/type/pump/id/pump-7')).toBe('iot-2/type/pump/id/pump-7');
  });
});

describe('the scope of a gateway', () => {
  it('leaves topics that name a device in full', () => {
    for (const topic of [
      'iot-2/type/pump/id/pump-7/evt/e/fmt/json',
      'iot-2/type/+/id/+/cmd/+/fmt/+',
      'iotdevice-1/type/hub/id/hub-1/mgmt/manage',
    ]) {
      expect(resolveFilter(hub, topic)).toBe(topic);
      expect(presentTopic(hub, topic)).toBe(topic);
    }
  });

  it('is its own for short topics', () => {
    expect(resolveTopic(hub, 'iot-2/mon')).toBe('iot-2/type/hub/id/hub-1/mon');
    expect(resolveTopic(hub, 'iot-2/evt/e/fmt/json')).toBe('iot-2/type/hub/id/hub-1/evt/e/fmt/json');
    expect(resolveTopic(hub, 'iot-2/type/pump')).toBe('iot-2/type/hub/id/hub-1/type/pump');
    expect(resolveTopic(hub, 'iot-2/type/a/b/id/c/evt')).toBe('iot-2/type/hub/id/hub-1/type/a/b/id/c/evt');
    expect(presentTopic(hub, 'iot-2/type/hub/id/hub-1/mon')).toBe('iot-2/mon');
  });

  it('spans the devices that it speaks for under iotdm-1/#', () => {
    expect(resolveFilter(hub, 'iotdm-1/#')).toBe('iotdm-1/type/+/id/+/#');
    expect(resolveFilter(hub, 'iotdm-1/response')).toBe('iotdm-1/type/hub/id/hub-1/response');
  });

  it('names the same topic again when a presented topic is resolved', () => {
    fc.assert(
      fc.property(topics, (topic) => {
        const full = resolveTopic(hub, topic);
        expect(resolveTopic(hub, presentTopic(hub, full))).toBe(full);
      }),
    );
  });
});
