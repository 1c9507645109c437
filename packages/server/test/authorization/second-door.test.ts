import type { Refusal } from '@sallyport/model';
import { expect, test } from 'vitest';
import { authorizer } from '../../src/authorization/authorizer.ts';
import { PolicyStore } from '../../src/authorization/policy-store.ts';
import { questioner } from '../../src/authorization/questioner.ts';
import { NOW, TLS } from '../authentication/known.ts';

const PUMP = { kind: 'device', organisation: 'demo', type: 'pump', id: 'pump-7' } as const;
const DESK = { kind: 'application', organisation: 'demo', id: 'desk' } as const;

function refuse(input: Omit<Refusal, 'ticket' | 'at' | 'lastAt' | 'count'>): Refusal {
  const at = new Date(NOW).toISOString();
  return { ...input, ticket: 'ABC123', at, lastAt: at, count: 1 };
}

async function open(principal: typeof PUMP | typeof DESK, clientId: string, text?: string) {
  let document = text;
  let now = NOW;
  const policies = new PolicyStore({ findDocument: async () => document, now: () => now });
  const door = authorizer({ policies, refuse, now: () => now });
  await door.load('demo');
  const roles = principal.kind === 'application' ? ['standard'] : [];
  const opened = door.open({
    grounds: { principal, credentialKind: 'token', roles },
    clientId,
    transport: TLS,
    arrival: [],
  });
  return {
    ...opened,
    policies,
    rewrite: (next: string) => {
      document = next;
      return policies.changed('demo');
    },
    pass: (time: number) => {
      now += time;
    },
  };
}

test('permits a device its own topics and nobody else’s', async () => {
  const { rights } = await open(PUMP, 'd:demo:pump:pump-7');
  expect(rights.permits('publish', 'iot-2/type/pump/id/pump-7/evt/status/fmt/json')).toBe(true);
  expect(rights.permits('publish', 'iot-2/type/pump/id/pump-8/evt/status/fmt/json')).toBe(false);
  expect(rights.permits('subscribe', '#')).toBe(false);
});

test('explains a denied topic with the nearest permitted one, in the words of the device', async () => {
  const { rights } = await open(PUMP, 'd:demo:pump:pump-7');
  const refusal = rights.refuse('publish', 'iot-2/type/pump/id/pump-7/event/status/fmt/json');
  expect(refusal).toMatchObject({
    reason: 'topic_not_permitted',
    action: 'publish',
    principal: 'device:demo/pump/pump-7',
  });
  expect(refusal.cure).toContain('iot-2/event/status/fmt/json matches no permitted resource');
  expect(refusal.cure).toContain('nearest permitted: iot-2/evt/+/fmt/+');
});

test('names the statement that denies', async () => {
  const { rights } = await open(
    PUMP,
    'd:demo:pump:pump-7',
    'statements:\n  - { id: no-status, effect: deny, principals: ["device:*"], actions: [publish], resources: ["iot-2/type/+/id/+/evt/status/fmt/+"] }\n',
  );
  const topic = 'iot-2/type/pump/id/pump-7/evt/status/fmt/json';
  expect(rights.permits('publish', topic)).toBe(false);
  expect(rights.refuse('publish', topic)).toMatchObject({
    reason: 'denied_by_statement',
    cure: expect.stringContaining('no-status'),
  });
});

test('binds client ids to principals', async () => {
  expect((await open(DESK, 'a:demo:desk')).connect().reason).toBeUndefined();
  expect((await open(DESK, 'a:demo:other')).connect().reason).toBe('client_id_not_permitted');
  expect((await open(DESK, 'anything')).connect().reason).toBe('client_id_not_permitted');
});

test('takes a change of the policy to a live session, under a new version', async () => {
  const { rights, rewrite } = await open(DESK, 'a:demo:desk');
  const before = rights.version;
  expect(rights.permits('publish', 'lab/x')).toBe(false);
  const changed = rewrite(
    'statements:\n  - { id: lab, effect: permit, principals: ["application:demo/desk"], actions: [publish], resources: ["lab/#"] }\n',
  );
  // While the new text is read nothing is permitted, not even what the old one permitted.
  expect(rights.permits('publish', 'iot-2/type/pump/id/pump-7/cmd/x/fmt/json')).toBe(false);
  await changed;
  expect(rights.permits('publish', 'lab/x')).toBe(true);
  expect(rights.version).not.toBe(before);
});

test('gets a new version when a condition on time turns', async () => {
  const { rights, pass } = await open(
    DESK,
    'a:demo:desk',
    'statements:\n  - { id: lab, effect: permit, principals: ["*"], actions: [publish], resources: [lab], when: { time: { before: "2026-01-31T13:00:00Z" } } }\n',
  );
  const before = rights.version;
  expect(rights.permits('publish', 'lab')).toBe(true);
  pass(3_600_000);
  expect(rights.version).not.toBe(before);
  expect(rights.permits('publish', 'lab')).toBe(false);
});

test('permits nothing when the policy on record cannot be compiled', async () => {
  const policies = new PolicyStore({ findDocument: async () => 'statements: 7', now: () => NOW });
  await expect(policies.load('demo')).rejects.toMatchObject({ code: 'policy_invalid' });
  expect(policies.current('demo')).toBeUndefined();
});

test('answers a question with the same decision as a session, from a short topic', async () => {
  const policies = new PolicyStore({ findDocument: async () => undefined, now: () => NOW });
  const ask = questioner({ load: (o) => policies.load(o), findRoles: () => [], now: () => NOW });
  const yes = await ask({ as: 'device:demo/pump/pump-7', action: 'publish', resource: 'iot-2/evt/status/fmt/json' });
  expect(yes).toMatchObject({ effect: 'permit', resolved: 'iot-2/type/pump/id/pump-7/evt/status/fmt/json' });
  const no = await ask({ as: 'device:demo/pump/pump-7', action: 'subscribe', resource: '#' });
  expect(no).toMatchObject({ effect: 'deny', cure: expect.stringContaining('nearest permitted') });
});

test('refuses a question about an operator or nobody', async () => {
  const policies = new PolicyStore({ findDocument: async () => undefined, now: () => NOW });
  const ask = questioner({ load: (o) => policies.load(o), findRoles: () => [], now: () => NOW });
  await expect(ask({ as: 'operator:ann', action: 'publish', resource: 'x' })).rejects.toMatchObject({
    code: 'invalid_request',
  });
  await expect(ask({ as: 'pump-7', action: 'publish', resource: 'x' })).rejects.toMatchObject({
    code: 'invalid_request',
  });
});

test('tells an application that used the short topic of a device how to name the device', async () => {
  const { rights } = await open(DESK, 'a:demo:desk');
  expect(rights.refuse('publish', 'iot-2/cmd/blink/fmt/json').cure).toContain(
    'iot-2/type/TYPE/id/DEVICE/cmd/blink/fmt/json',
  );
});
