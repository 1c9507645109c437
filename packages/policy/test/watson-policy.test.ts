import { type DevicePrincipal, resolveFilter, resolveTopic } from '@sallyport/model';
import { describe, expect, it } from 'vitest';
import { broadStatements } from '../src/broad.ts';
import { compilePolicy } from '../src/compile.ts';
import { decide } from '../src/decide.ts';
import type { Action, Subject } from '../src/decision.ts';
import { WATSON_POLICY } from '../src/watson-policy.ts';
import { DESK, HUB, NOON, PUMP } from './subjects.ts';

const answer = compilePolicy([WATSON_POLICY]);
if (!answer.ok) throw new Error(JSON.stringify(answer.problems));
const { policy } = answer;

function may(subject: Subject, action: Action, text: string): boolean {
  const own = subject.principal.kind === 'device' || subject.principal.kind === 'gateway';
  const principal = subject.principal as DevicePrincipal;
  const resource =
    !own || action === 'connect' || action === 'manage'
      ? text
      : action === 'subscribe'
        ? resolveFilter(principal, text)
        : resolveTopic(principal, text);
  return decide(policy, subject, action, resource, NOON).effect === 'permit';
}

function inRole(subject: Subject, role: string): Subject {
  return { ...subject, roles: [role] };
}

describe('the built-in policy for devices', () => {
  it.each([
    'iot-2/evt/temp/fmt/json',
    'iotdevice-1/response',
    'iotdevice-1/notify',
    'iotdevice-1/device/update/location',
    'iotdevice-1/add/diag/log',
    'iotdevice-1/clear/diag/errorCodes',
    'iotdevice-1/mgmt/manage',
  ])('permits to publish %s', (topic) => expect(may(PUMP, 'publish', topic)).toBe(true));

  it.each([
    'iot-2/cmd/c/fmt/json',
    'iot-2/evt/temp/fmt',
    'iot-2/evt//fmt/json',
    'iot-2/evt/temp/fmt/',
    'iot-2/evt/temp/fmt/json/more',
    'iot-2/EVT/temp/fmt/json',
    'IOT-2/evt/temp/fmt/json',
    'iot-2/evt%2Ftemp/fmt/json',
    'iot-2/mon',
    'iotdm-1/response',
    'iot-2/type/pump/id/pump-8/evt/temp/fmt/json',
    'iot-2/../pump-8/evt/temp/fmt/json',
    'iotdevice-1/mgmt/',
    '$SYS/x',
    '$share/g/iot-2/evt/temp/fmt/json',
    'anything',
    '/iot-2/evt/temp/fmt/json',
    'iot-2/evt/+/fmt/json',
  ])('refuses to publish %s', (topic) => expect(may(PUMP, 'publish', topic)).toBe(false));

  it.each([
    'iot-2/cmd/+/fmt/+',
    'iot-2/cmd/reboot/fmt/json',
    'iotdm-1/#',
    'iotdm-1/mgmt/initiate/device/reboot',
    'iot-2/mon',
    'iot-2/notify',
  ])('permits to subscribe to %s and to receive from it', (filter) => {
    expect(may(PUMP, 'subscribe', filter)).toBe(true);
    expect(may(PUMP, 'receive', filter.replaceAll(/[+#]/g, 'x'))).toBe(true);
  });

  it.each([
    '#',
    '+/#',
    '+/+',
    'iot-2/#',
    'iot-2/cmd/#',
    'iot-2/evt/+/fmt/+',
    'iot-2/type/+/id/+/cmd/+/fmt/+',
    '$SYS/#',
    '$share/g/iot-2/cmd/+/fmt/+',
    'iotdevice-1/#',
  ])('refuses to subscribe to %s', (filter) => expect(may(PUMP, 'subscribe', filter)).toBe(false));

  it('binds the client id to the device', () => {
    expect(may(PUMP, 'connect', 'd:demo:pump:pump-7')).toBe(true);
    for (const clientId of [
      'd:demo:pump:pump-8',
      'd:demo:pump:pump-70',
      'g:demo:pump:pump-7',
      'D:demo:pump:pump-7',
      'd:other:pump:pump-7',
      '',
      'sensor',
      'd:demo:pump:*',
    ]) {
      expect(may(PUMP, 'connect', clientId), clientId).toBe(false);
    }
  });

  it('gives a pending session nothing', () => {
    const pending: Subject = { ...PUMP, assurance: 'pending' };
    expect(may(pending, 'publish', 'iot-2/evt/temp/fmt/json')).toBe(false);
    expect(may(pending, 'subscribe', 'iot-2/cmd/+/fmt/+')).toBe(false);
  });
});

describe('the built-in policy for gateways', () => {
  it('speaks for itself and for the devices of the organisation', () => {
    for (const topic of [
      'iot-2/type/pump/id/pump-7/evt/e/fmt/json',
      'iot-2/type/hub/id/hub-1/evt/e/fmt/json',
      'iot-2/evt/e/fmt/json',
      'iotdevice-1/type/pump/id/pump-7/mgmt/manage',
    ]) {
      expect(may(HUB, 'publish', topic), topic).toBe(true);
    }
    for (const filter of [
      'iot-2/type/+/id/+/cmd/+/fmt/+',
      'iot-2/type/pump/id/+/cmd/+/fmt/+',
      'iot-2/type/+/id/+/notify',
      'iot-2/type/hub/id/hub-1/notify',
      'iot-2/type/+/id/+/response',
      'iotdm-1/#',
      'iot-2/mon',
    ]) {
      expect(may(HUB, 'subscribe', filter), filter).toBe(true);
    }
  });

  it('may not send commands, read events or see who else is connected', () => {
    expect(may(HUB, 'publish', 'iot-2/type/pump/id/pump-7/cmd/c/fmt/json')).toBe(false);
    expect(may(HUB, 'publish', 'iot-2/type//id/pump-7/evt/e/fmt/json')).toBe(false);
    for (const filter of [
      'iot-2/type/+/id/+/evt/+/fmt/+',
      'iot-2/type/+/id/+/mon',
      'iot-2/type/+/id/+/#',
      'iot-2/#',
      '#',
    ]) {
      expect(may(HUB, 'subscribe', filter), filter).toBe(false);
    }
  });

  it('registers devices only in the privileged role', () => {
    expect(may(HUB, 'manage', 'devices/create')).toBe(false);
    expect(may(inRole(HUB, 'gateway-privileged'), 'manage', 'devices/create')).toBe(true);
    expect(may(HUB, 'manage', 'devices/read')).toBe(true);
    expect(may({ ...HUB, roles: [] }, 'publish', 'iot-2/type/pump/id/pump-7/evt/e/fmt/json')).toBe(false);
  });

  it('binds the client id to the gateway', () => {
    expect(may(HUB, 'connect', 'g:demo:hub:hub-1')).toBe(true);
    expect(may(HUB, 'connect', 'd:demo:hub:hub-1')).toBe(false);
  });
});

describe('the built-in policy for applications', () => {
  const EVENT = 'iot-2/type/pump/id/pump-7/evt/e/fmt/json';
  const COMMAND = 'iot-2/type/pump/id/pump-7/cmd/c/fmt/json';
  const columns = ['standard', 'operations', 'backend-trusted', 'data-processor', 'visualization', 'device'];

  it.each<[string, Action, string, string]>([
    ['create devices', 'manage', 'devices/create', 'yyyn nn'],
    ['delete types', 'manage', 'types/delete', 'yyyn nn'],
    ['view devices', 'manage', 'devices/read', 'yyyy yn'],
    ['publish events', 'publish', EVENT, 'ynyn ny'],
    ['subscribe to events', 'subscribe', 'iot-2/type/+/id/+/evt/+/fmt/+', 'yyyy yy'],
    ['publish commands', 'publish', COMMAND, 'yyyy nn'],
    ['subscribe to commands', 'subscribe', 'iot-2/type/+/id/+/cmd/+/fmt/+', 'ynyn ny'],
    ['start device management', 'manage', 'management-requests/create', 'yynn nn'],
    ['manage diagnostic logs', 'manage', 'diagnostics/delete', 'yyyn ny'],
    ['view connection logs', 'manage', 'connection-logs/read', 'yyyn nn'],
    ['read last events', 'manage', 'last-events/read', 'yyyy yy'],
    ['see who is connected', 'subscribe', 'iot-2/type/+/id/+/mon', 'yyyy yn'],
    ['manage keys', 'manage', 'access/update', 'nynn nn'],
  ])('gives the roles their right to %s', (_right, action, resource, row) => {
    const found = columns.map((role) => (may(inRole(DESK, role), action, resource) ? 'y' : 'n')).join('');
    expect(found).toBe(row.replace(' ', ''));
  });

  it.each([
    'iot-2/type/pump/id/+/evt/temp/fmt/json',
    'iot-2/type/+/id/+/mon',
    'iot-2/app/+/mon',
    'iot-2/type/+/id/+/intf/+/evt/state',
    'iot-2/type/+/id/+/err/data',
    'iot-2/intf/+/rule/+/evt/trigger',
    'iot-2/intf/+/rule/+/err/data',
    'iot-2/thing/type/+/id/+/intf/+/evt/state',
    'iot-2/thing/type/+/id/+/err/data',
  ])('permits to subscribe to %s', (filter) => expect(may(DESK, 'subscribe', filter)).toBe(true));

  it.each([
    '#',
    '+/#',
    'iot-2/#',
    'iot-2/type/#',
    'iot-2/type/+/id/+/#',
    'iot-2/type/+/id/+/evt/#',
    'iotdm-1/#',
    '$SYS/#',
    '+',
  ])('refuses %s', (filter) => expect(may(DESK, 'subscribe', filter)).toBe(false));

  it('gives an application without a role nothing but its connection', () => {
    const nobody = { ...DESK, roles: [] };
    expect(may(nobody, 'connect', 'a:demo:desk')).toBe(true);
    expect(may(nobody, 'publish', EVENT)).toBe(false);
    expect(may(nobody, 'subscribe', 'iot-2/type/+/id/+/evt/+/fmt/+')).toBe(false);
  });

  it('binds client ids, also of instances, to the application', () => {
    for (const clientId of ['a:demo:desk', 'A:demo:desk', 'A:demo:desk:2'])
      expect(may(DESK, 'connect', clientId)).toBe(true);
    for (const clientId of [
      'a:demo:desk2',
      'A:demo:desk2:1',
      'a:demo:desk:1',
      'a:other:desk',
      'd:demo:pump:pump-7',
      '',
    ]) {
      expect(may(DESK, 'connect', clientId), clientId).toBe(false);
    }
  });
});

describe('the built-in policy', () => {
  it('opens nothing that would have to be announced', () => {
    expect(broadStatements(WATSON_POLICY)).toEqual([]);
  });

  it('gives operators nothing on MQTT', () => {
    const operator: Subject = { ...PUMP, principal: { kind: 'operator', id: 'ann' }, roles: ['administrator'] };
    for (const action of ['connect', 'publish', 'subscribe', 'manage'] as const)
      expect(may(operator, action, 'a')).toBe(false);
  });
});
