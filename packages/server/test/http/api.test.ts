import { Failure } from '@sallyport/model';
import { afterEach, describe, expect, test } from 'vitest';
import { isProblem, openTestApi, type TestApi } from './test-api.ts';

const opened: TestApi[] = [];
async function open(...overrides: Parameters<typeof openTestApi>): Promise<TestApi> {
  const api = await openTestApi(...overrides);
  opened.push(api);
  return api;
}
afterEach(async () => {
  for (const api of opened.splice(0)) await api.close();
});

describe('requests that no route takes', () => {
  test('an unknown route is a problem that points to the description of the API', async () => {
    const answer = await (await open()).ask('GET /nothing');
    expect([answer.status, isProblem(answer, 'not_found')]).toEqual([404, true]);
    expect(answer.json.cure).toContain('/api/v1/openapi.json');
  });

  test('a method that a route does not know is answered with those that it knows', async () => {
    const answer = await (await open()).ask('PUT /organisations/demo', { body: {} });
    expect([answer.status, isProblem(answer, 'method_not_allowed')]).toEqual([405, true]);
    expect(answer.headers.allow).toBe('DELETE, GET, HEAD, PATCH');
  });

  test('a path that is not validly encoded is a problem', async () => {
    const answer = await (await open()).ask('GET /organisations/%zz');
    expect([answer.status, isProblem(answer, 'invalid_request')]).toEqual([400, true]);
  });
});

describe('defects', () => {
  test('are told to the operators of the server, not to the caller', async () => {
    const api = await open({
      metricsText: () => {
        throw new Error('the secret is 42');
      },
    });
    const answer = await api.ask('GET /metrics');
    expect([answer.status, isProblem(answer, 'internal')]).toEqual([500, true]);
    expect(answer.text).not.toContain('42');
    expect(api.events).toEqual([{ type: 'defect', where: 'GET /api/v1/metrics', problem: 'Error: the secret is 42' }]);
  });

  test('a store that is down is said to be down', async () => {
    const api = await open({
      explain: () => {
        throw new Failure('store_unavailable', 'The registry cannot be read.');
      },
    });
    const body = { as: 'operator:ann', action: 'publish', resource: 'a' };
    expect((await api.ask('POST /explain', { body })).status).toBe(503);
  });

  test('an authenticator that breaks lets nobody in', async () => {
    const api = await open({ authenticateOperator: () => Promise.reject(new Error('broken')) });
    expect((await api.ask('GET /organisations')).status).toBe(500);
  });
});

describe('headers', () => {
  test('forbid framing, sniffing, referrers and foreign content, and share with no other origin', async () => {
    const { headers } = await (await open()).ask('GET /health', {
      as: 'nobody',
      headers: { origin: 'https://evil.example' },
    });
    expect(headers).toMatchObject({
      'content-security-policy': "default-src 'none';frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
    });
    expect(headers).not.toHaveProperty('access-control-allow-origin');
  });

  test('demand TLS of every name but localhost, where other programs live too', async () => {
    const api = await open();
    const named = await api.ask('GET /health', { headers: { host: 'iot.example:8443' } });
    expect(named.headers['strict-transport-security']).toContain('max-age=');
    const local = await api.ask('GET /health', { headers: { host: 'localhost:8443' } });
    expect(local.headers).not.toHaveProperty('strict-transport-security');
  });

  test('let no cache keep what an operator was answered', async () => {
    expect((await (await open()).ask('GET /organisations')).headers['cache-control']).toBe('no-store');
  });
});

describe('guessing of tokens', () => {
  const guess = (api: TestApi, token: string) =>
    api.ask('GET /whoami', { as: 'nobody', headers: { authorization: `Bearer ${token}` } });

  test('is answered alike for every reason, and the reason is kept under the ticket', async () => {
    const api = await open();
    const wrong = api.tokens.reader.replace(/.{4}$/, 'zzzz');
    const answers = [await guess(api, wrong), await guess(api, 'op-nobody-zzzz'), await guess(api, 'x')];
    const public_ = answers.map(({ json: { ticket: _, instance: __, ...rest } }) => rest);
    expect(public_[1]).toEqual(public_[0]);
    expect(public_[2]).toEqual(public_[0]);
    expect(api.refused.map((one) => one.reason)).toEqual(['wrong_secret', 'unknown_identity', 'unknown_identity']);
    expect(api.events.map((event) => event.type)).toEqual(Array(3).fill('request.refused'));
    expect(JSON.stringify(api.refused)).not.toContain(wrong);
    for (const { cure } of api.refused) expect(cure).not.toMatch(/use-token-auth|device add|device token/);
  });

  test('has to wait after some failures, with a time to wait, and may go on after it', async () => {
    const api = await open({ attempts: { burst: 3, refill: 6_000 } });
    for (let n = 0; n < 3; n++) expect((await guess(api, 'x')).status).toBe(401);
    const held = await guess(api, api.tokens.reader);
    expect([held.status, isProblem(held, 'too_many_requests')]).toEqual([429, true]);
    expect(held.headers['retry-after']).toBe('6');
    expect(api.refused.at(-1)?.reason).toBe('too_many_attempts');
    api.clock.now += 6_000;
    expect((await guess(api, api.tokens.reader)).status).toBe(200);
  });

  test('many at once get no more attempts than one after the other', async () => {
    const api = await open({ attempts: { burst: 3, refill: 6_000 } });
    const answers = await Promise.all(Array.from({ length: 20 }, () => guess(api, 'x')));
    expect(answers.filter((one) => one.status === 401)).toHaveLength(3);
  });

  test('right tokens use nothing up', async () => {
    const api = await open({ attempts: { burst: 3, refill: 6_000 } });
    for (let n = 0; n < 10; n++) expect((await guess(api, api.tokens.reader)).status).toBe(200);
  });

  test.each(['Basic abc', 'Bearer', 'Bearer a b', 'bearer  ', `Bearer ${'x'.repeat(600)}`])(
    'a header "%s" is no credential',
    async (authorization) => {
      const answer = await (await open()).ask('GET /whoami', { as: 'nobody', headers: { authorization } });
      expect([answer.status, isProblem(answer, 'unauthenticated')]).toEqual([401, true]);
    },
  );
});
