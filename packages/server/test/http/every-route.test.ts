import { OPERATOR_ROLES } from '@sallyport/model';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { apiRoutes } from '../../src/http/api-routes.ts';
import { mayUse } from '../../src/http/operator-gate.ts';
import type { Route } from '../../src/http/route.ts';
import { isProblem, openTestApi, type TestApi } from './test-api.ts';

/** The table of routes; nothing of it is run here. */
const ROUTES = apiRoutes(
  {
    registry: {},
    policy: {},
    refusals: {},
    sessions: {},
    trail: {},
    addressLists: {},
    guesses: {},
    incidents: {},
  } as never,
  () => 0,
);
const NAMES: Readonly<Record<string, string>> = {
  ticket: 'ABC123',
  clientId: 'd:x:y:z',
  version: '1',
  incident: '3f2a9c0d81',
  list: 'black',
  entry: '192.0.2.1',
  address: '192.0.2.1',
  digest: 'a'.repeat(64),
  id: 'ABC123',
  userCode: 'BCDFGHJK',
  authority: 'a'.repeat(64),
};

let api: TestApi;
beforeAll(async () => {
  api = await openTestApi({ attempts: { burst: 10_000, refill: 1 } });
});
afterAll(() => api.close());

function pathOf(route: Route, level = (name: string) => NAMES[name] ?? 'nobody'): string {
  return route.path.replace(/:([a-zA-Z]+)/g, (_, name: string) => level(name));
}

describe.each(ROUTES.map((route) => [`${route.method} ${route.path}`, route] as const))('%s', (_, route) => {
  test.each(OPERATOR_ROLES)('is open to the role %s exactly if it has all that the route needs', async (role) => {
    const answer = await api.ask(`${route.method} ${pathOf(route)}`, { as: role });
    if (mayUse(role, route.needs)) {
      expect([401, 403]).not.toContain(answer.status);
    } else {
      expect([answer.status, isProblem(answer, 'forbidden')]).toEqual([403, true]);
      expect(answer.json.ticket).toMatch(/^[A-Z0-9]{6}$/);
      expect(answer.json.detail).toContain(route.needs);
    }
  });

  test('asks strangers for a token before it looks at anything else', async () => {
    const answer = await api.ask(`${route.method} ${pathOf(route)}`, { as: 'nobody', body: '{', headers: jsonType });
    if (route.needs === 'nobody') {
      expect(answer.status).toBeLessThan(500);
      return;
    }
    expect([answer.status, isProblem(answer, 'unauthenticated')]).toEqual([401, true]);
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="sallyport"');
    expect(answer.json.ticket).toMatch(/^[A-Z0-9]{6}$/);
  });

  test('changes nothing under a method that only reads', () => {
    const reads = route.method === 'GET' || ['explain', 'checkPolicy', 'predictSecurity'].includes(route.name);
    expect(route.needs === 'reader' || route.needs === 'nobody').toBe(reads);
  });

  if (route.params) {
    test.each([
      ['an encoded slash', 'a%2Fb'],
      ['a single-level wildcard', '%2B'],
      ['a multi-level wildcard', '%23'],
      ['a null character', 'a%00'],
      ['two dots', '%2e%2e'],
      ['a colon and a slash', 'x%3Ay%2Fz'],
      ['a very long text', 'x'.repeat(600)],
    ])('refuses %s in place of an id', async (_, level) => {
      const answer = await api.ask(`${route.method} ${pathOf(route, () => level)}`, { body: {} });
      expect([400, 404]).toContain(answer.status);
      expect(isProblem(answer, answer.json.code)).toBe(true);
    });
  }

  if (route.query) {
    test.each([
      'limit=0',
      'limit=x',
      'limit=1000000',
      'after=',
      'unknown=1',
      'limit=1&limit=2',
      `after=${'x'.repeat(600)}`,
    ])('refuses the query %s and names the field', async (query) => {
      const answer = await api.ask(`${route.method} ${pathOf(route)}?${query}`);
      expect([answer.status, isProblem(answer, 'invalid_request')]).toEqual([400, true]);
      expect(answer.json.errors[0].path).toBe(`query/${query.split('=')[0]}`);
    });
  }

  if (route.body) {
    test.each([
      ['nothing', undefined],
      ['an empty text', ''],
      ['null', 'null'],
      ['a list', '[]'],
      ['a number', '7'],
      ['text that is no JSON', '{"id":'],
      ['unknown keys', '{"zzz":1}'],
      ['a prototype', '{"__proto__":{"id":"x"}}'],
      ['wrong types', JSON.stringify(everyKeyWrong(route.body))],
      ['deep nesting', `${'{"metadata":'.repeat(40)}1${'}'.repeat(40)}`],
    ])('refuses a body of %s', async (what, body) => {
      const answer = await api.ask(`${route.method} ${pathOf(route)}`, { body, headers: jsonType });
      expect([answer.status, isProblem(answer, 'invalid_request')]).toEqual([400, true]);
      if (what === 'unknown keys' && route.body instanceof z.ZodObject) {
        expect(answer.json.errors).toContainEqual(expect.objectContaining({ path: 'body/zzz' }));
      }
    });

    test('refuses a body that is too large, and one that is not JSON', async () => {
      const huge = await api.ask(`${route.method} ${pathOf(route)}`, {
        body: `{"description":"${'x'.repeat(route.largestBody ?? 1_048_576)}"}`,
        headers: jsonType,
      });
      expect([huge.status, isProblem(huge, 'request_too_large')]).toEqual([413, true]);
      const form = await api.ask(`${route.method} ${pathOf(route)}`, {
        body: 'id=x',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      });
      expect([form.status, isProblem(form, 'unsupported_media_type')]).toEqual([415, true]);
    });
  }
});

const jsonType = { 'content-type': 'application/json' };

function everyKeyWrong(schema: z.ZodType): unknown {
  if (!(schema instanceof z.ZodObject)) return 7;
  return Object.fromEntries(Object.keys(schema.shape).map((key) => [key, [[7]]]));
}
