import type { Refusal } from '@sallyport/model';
import type { Grants } from '@sallyport/policy';
import { expect, test } from 'vitest';
import { authorizer } from '../../src/authorization/authorizer.ts';
import { PolicyStore } from '../../src/authorization/policy-store.ts';
import { questioner } from '../../src/authorization/questioner.ts';
import { NOW, TLS } from '../authentication/known.ts';

const PUMP = { kind: 'device', organisation: 'demo', type: 'pump', id: 'pump-7' } as const;
const OWN = 'iot-2/type/pump/id/pump-7';

function refuse(input: Omit<Refusal, 'ticket' | 'at' | 'lastAt' | 'count'>): Refusal {
  const at = new Date(NOW).toISOString();
  return { ...input, ticket: 'ABC123', at, lastAt: at, count: 1 };
}

async function rightsWith(grants: Grants) {
  const policies = new PolicyStore({ findDocument: async () => undefined, now: () => NOW });
  const door = authorizer({ policies, refuse, now: () => NOW });
  await door.load('demo');
  const grounds = { principal: PUMP, credentialKind: 'access-token', roles: [], grants } as const;
  return door.open({ grounds, clientId: 'd:demo:pump:pump-7', transport: TLS, arrival: [] });
}

const STATUS = { action: 'publish', filter: `${OWN}/evt/status/fmt/json` } as const;

test('permits what both the policy and the grants permit, and nothing that only one of them does', async () => {
  const { rights, connect } = await rightsWith([STATUS, { action: 'publish', filter: '#' }]);
  expect(rights.permits('publish', `${OWN}/evt/status/fmt/json`)).toBe(true);
  expect(rights.permits('publish', 'iot-2/type/pump/id/pump-8/evt/status/fmt/json')).toBe(false);
  expect(rights.permits('subscribe', `${OWN}/cmd/+/fmt/+`)).toBe(false);
  expect(rights.permits('receive', `${OWN}/cmd/blink/fmt/json`)).toBe(false);
  expect(connect().reason).toBeUndefined();
});

test('explains what is not granted by itself, with the grants and the nearest of them, in the words of the device', async () => {
  const { rights } = await rightsWith([STATUS]);
  const refusal = rights.refuse('publish', `${OWN}/evt/state/fmt/json`);
  expect(refusal.reason).toBe('not_granted');
  expect(refusal.steps.at(-1)).toMatchObject({
    outcome: 'failed',
    text: 'The grants of the session are publish:iot-2/evt/status/fmt/json.',
    compared: { found: 'iot-2/evt/state/fmt/json', expected: 'iot-2/evt/status/fmt/json' },
  });
  expect(refusal.cure).toContain('nearest is iot-2/evt/status/fmt/json');
});

test('leaves the reason to the policy where that denies too', async () => {
  const { rights } = await rightsWith([{ action: 'publish', filter: '#' }]);
  const refusal = rights.refuse('publish', 'elsewhere');
  expect(refusal.reason).toBe('topic_not_permitted');
  expect(refusal.steps.at(-1)).toMatchObject({ outcome: 'passed' });
});

test('lets the bearer of empty grants connect and do nothing', async () => {
  const { rights, connect } = await rightsWith([]);
  expect(connect().reason).toBeUndefined();
  expect(rights.refuse('will', `${OWN}/evt/status/fmt/json`)).toMatchObject({
    reason: 'not_granted',
    cure: expect.stringContaining('publish:iot-2/evt/status/fmt/json'),
  });
});

test('answers a question about a token as a session with it is answered', async () => {
  const policies = new PolicyStore({ findDocument: async () => undefined, now: () => NOW });
  const ask = questioner({ load: (o) => policies.load(o), findRoles: () => [], now: () => NOW });
  const question = { as: 'device:demo/pump/pump-7', action: 'publish', resource: 'iot-2/evt/status/fmt/json' } as const;
  expect(await ask({ ...question, grants: ['publish:iot-2/evt/+/fmt/json'] })).toMatchObject({ effect: 'permit' });
  const no = await ask({ ...question, grants: ['publish:iot-2/evt/other/fmt/json'] });
  expect(no).toMatchObject({ effect: 'deny', cure: expect.stringContaining('iot-2/evt/other/fmt/json') as string });
  expect(await ask({ ...question, grants: [] })).toMatchObject({ effect: 'deny' });
  const elsewhere = await ask({ ...question, resource: 'elsewhere', grants: ['publish:#'] });
  expect(elsewhere).toMatchObject({ effect: 'deny', cure: expect.stringContaining('nearest permitted') as string });
  await expect(ask({ ...question, grants: ['all'] })).rejects.toMatchObject({ code: 'invalid_request' });
});
