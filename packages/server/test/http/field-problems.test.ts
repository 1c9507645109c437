import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTestApi } from './test-api.ts';

let api: Awaited<ReturnType<typeof openTestApi>>;
beforeAll(async () => {
  api = await openTestApi();
  await api.registry.organisations.create({ id: 'demo', by: 'system' });
  await api.registry.types.create({ organisation: 'demo', id: 'pump', by: 'system' });
  await api.registry.types.create({ organisation: 'demo', id: 'hub', class: 'gateway', by: 'system' });
});
afterAll(() => api.close());

const TYPES = 'POST /api/v1/organisations/demo/types';
const DEVICES = 'POST /api/v1/organisations/demo/types/pump/devices';

describe('a request that does not fit is answered in plain words', () => {
  test.each([
    [TYPES, [], 'The body is a list; it must be an object.'],
    [TYPES, {}, 'id is missing.'],
    [TYPES, { id: 5 }, 'id is a number; it must be a text.'],
    [TYPES, { id: 'a', clas: 'x' }, /^clas is not a key of this request; known are id, class, /],
    [TYPES, { id: 'a', class: 'x' }, 'class is not allowed; write one of device, gateway.'],
    [TYPES, { id: 'a b' }, 'id: a type id consists of letters, digits, "_", "-" and "."; " " is none.'],
    [DEVICES, { id: 'a', token: 'short' }, 'token has 5 characters; it needs 8 or more.'],
    [DEVICES, { id: 'a', token: 'x'.repeat(37) }, 'token has 37 characters; at most 36 are allowed.'],
    [
      DEVICES,
      { id: 'a', password: { username: 'u', password: 'short' } },
      'password.password has 5 characters; it needs 8 or more.',
    ],
    [DEVICES, { id: 'a', expiresIn: '5' }, 'expiresIn is no duration; write for example 90d, 12h, 30m or 45s.'],
    ['GET /api/v1/organisations?limit=0', undefined, 'limit is too small; the least is 1.'],
    ['GET /api/v1/organisations?limit=x', undefined, 'limit is no number; it must be a number.'],
    ['GET /api/v1/audit?since=yesterday', undefined, 'since is no moment; write for example 2026-01-31T12:00:00Z.'],
    ['PUT /api/v1/organisations/demo/policy', { text: 5 }, 'text is a number; it must be a text.'],
    [
      'POST /api/v1/explain',
      { as: 'device:demo/pump/p', action: 'publish', resource: 'a', address: 'x' },
      'address is no IPv4 or IPv6 address.',
    ],
  ])('%s %j', async (route, body, detail) => {
    const answer = await api.ask(route, { body });
    expect(answer.status).toBe(400);
    if (typeof detail === 'string') expect(answer.json.detail).toBe(detail);
    else expect(answer.json.detail).toMatch(detail);
    expect(answer.text).not.toMatch(/Too (small|big)|Invalid (input|option)|expected (string|object)/);
  });
});

test('a page of gateways is full, whatever devices stand between them', async () => {
  for (const id of ['h1', 'h2'])
    await api.registry.devices.register({ organisation: 'demo', type: 'hub', id, by: 'system' });
  await api.registry.devices.register({ organisation: 'demo', type: 'pump', id: 'p1', by: 'system' });
  const first = await api.ask('GET /api/v1/organisations/demo/devices?limit=1');
  expect(first.json).toMatchObject({ items: [{ id: 'p1' }] });
  expect(first.json).not.toHaveProperty('next');
  const gateways = await api.ask('GET /api/v1/organisations/demo/gateways?limit=1');
  expect(gateways.json).toMatchObject({ items: [{ id: 'h1' }], next: 'hub/h1' });
});

test('a check of a policy names the statements that open very much', async () => {
  const text =
    'statements:\n  - { id: lab, effect: permit, principals: ["device:*"], actions: [publish], resources: ["#"] }\n';
  const { json } = await api.ask('POST /api/v1/organisations/demo/policy/check', { body: { text } });
  expect(json).toMatchObject({ ok: true, problems: [], broad: [{ id: 'lab' }] });
});
