import type { OutgoingHttpHeaders } from 'node:http';
import { request } from 'node:https';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';

let server: TestServer;
const tokens: Record<string, string> = {};
const start = async () => {
  server = await testServer();
  for (const role of ['reader', 'operator'] as const) {
    tokens[role] = (await server.server.registry.operators.create({ id: role, role, by: 'system' })).token;
  }
  tokens.administrator = server.operatorToken;
  tokens.device = server.tokens['pump-7'] ?? '';
};

interface Answer {
  readonly status: number;
  readonly text: string;
}

function call(
  method: string,
  path: string,
  headers: OutgoingHttpHeaders = {},
  body = '',
  agent = false,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({
      host: 'localhost',
      port: server.httpPort,
      method,
      path,
      headers,
      ca: server.rootPem,
      agent,
    });
    sent.on('error', reject);
    sent.on('response', (answer) => {
      let text = '';
      answer.on('data', (chunk) => {
        text += chunk;
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
    });
    // Behind a GET a body would be taken for the next request.
    sent.end(method === 'GET' || method === 'DELETE' ? '' : body);
  });
}
const as = (token = '') => ({ authorization: `Bearer ${token}` });

/** Every route of the description with example names in its path. */
async function routes(): Promise<[string, string][]> {
  const { text } = await call('GET', '/api/v1/openapi.json');
  const names: Record<string, string> = {
    organisation: 'demo',
    type: 'pump',
    device: 'pump-7',
    id: 'pump-7',
    application: 'desk',
  };
  return Object.entries(JSON.parse(text).paths as Record<string, object>).flatMap(([path, methods]) =>
    Object.keys(methods).map((method): [string, string] => [
      method.toUpperCase(),
      path.replace(/\{(\w+)\}/g, (_, name: string) => names[name] ?? 'x1'),
    ]),
  );
}
const under = (path: string) => (path.startsWith('/api/v1') ? path : `/api/v1${path}`);

describe('with one server', () => {
  beforeAll(start);
  afterAll(() => server.close());

  it('a reader changes nothing on any route, and a device opens none of them', async () => {
    const found = await routes();
    expect(found.length).toBeGreaterThan(30);
    const before = await state();
    for (const [method, path] of found) {
      const reads = method === 'GET' || /\/(explain|check|predict)$/.test(path);
      if (reads) continue;
      const { status } = await call(
        method,
        under(path),
        { ...as(tokens.reader), 'content-type': 'application/json' },
        '{}',
      );
      expect([method, path, status]).toEqual([method, path, 403]);
    }
    expect(await state()).toEqual(before);
  });

  it.each(['operators', 'organisations'])('an operator creates no %s', async (what) => {
    const headers = { ...as(tokens.operator), 'content-type': 'application/json' };
    expect((await call('POST', `/api/v1/${what}`, headers, '{"id":"mine","role":"administrator"}')).status).toBe(403);
  });

  it.each([
    '/api/v1//organisations',
    '/api//v1/organisations',
    '//api/v1/organisations',
    '/API/v1/organisations',
    '/api/v1/Organisations',
    '/api/v1/organisations/',
    '/api/v1/./organisations',
    '/api/v1/health/../organisations',
    '/api/v1/health/%2e%2e/organisations',
    '/api/v1/health%2f..%2forganisations',
    '/api/v1/organisations%00',
    '/api/v1/organisations%2f',
    '/api/v1/organisations;health',
    '/api/v1/health;/organisations',
    '/api/v1/%6frganisations',
    '/api/v1\\organisations',
    '/mqtt/../api/v1/organisations',
    '/api/v1/openapi.json/../organisations',
    'https://localhost/api/v1/organisations',
  ])('the path %s does not lead around the gate', async (path) => {
    const { status, text } = await call('GET', path);
    expect([400, 401, 404, 429]).toContain(status);
    expect(text).not.toContain('"Demo"');
  });

  it.each([
    { 'x-http-method-override': 'DELETE' },
    { 'x-original-url': '/api/v1/operators' },
    { 'x-rewrite-url': '/api/v1/operators' },
    { 'x-forwarded-user': 'admin' },
    { cookie: 'token=x' },
  ])('the header %o changes nothing', async (headers) => {
    const { status } = await call('GET', '/api/v1/health', headers);
    expect(status).toBe(200);
  });

  async function state() {
    const { organisations, devices, applications, operators } = server.server.registry;
    return JSON.stringify([
      await organisations.list(),
      await devices.list({ organisation: 'demo' }),
      await applications.list({ organisation: 'demo' }),
      await operators.list(),
    ]);
  }
});

describe('with a fresh server', () => {
  beforeEach(start);
  afterEach(() => server.close());

  it('a stranger without a credential gets nowhere but to health and the description', async () => {
    const open: string[] = [];
    for (const [method, path] of await routes()) {
      const { status, text } = await call(method, under(path), { 'content-type': 'application/json' }, '{');
      if (status !== 401 && status !== 429) open.push(path);
      else expect(text).toContain('"ticket"');
    }
    expect(open.map((path) => path.replace('/api/v1', ''))).toEqual(['/health']);
  });

  it.each([
    '',
    'Bearer',
    'Bearer ',
    'Basic YWRtaW46YWRtaW4=',
    'Bearer TOKEN x',
    'TOKEN',
    'Token TOKEN',
    'Bearer DEVICE',
    'Bearer op-admin-',
    'Bearer op-admin-00000000000000000000000000000000',
    'Bearer TOKENx',
    'Bearer xTOKEN',
  ])('the header "%s" is no credential', async (form) => {
    const authorization = form.replace('TOKEN', server.operatorToken).replace('DEVICE', tokens.device ?? '');
    expect((await call('GET', '/api/v1/organisations', { authorization })).status).toBe(401);
  });

  it('who guesses has to wait, whatever it names as its address, and even with the right token then', async () => {
    const statuses: number[] = [];
    for (let index = 0; index < 14; index++) {
      const headers = {
        ...as(`op-admin-${'0'.repeat(32)}`),
        'x-forwarded-for': `192.0.2.${index}`,
        forwarded: `for=192.0.2.${index}`,
      };
      statuses.push((await call('GET', '/api/v1/organisations', headers)).status);
    }
    expect(statuses.slice(0, 10)).toEqual(Array(10).fill(401));
    expect(statuses.slice(-2)).toEqual([429, 429]);
    expect((await call('GET', '/api/v1/organisations', as(server.operatorToken))).status).toBe(429);
    expect((await call('GET', '/api/v1/health')).status).toBe(200);
  });

  it.each(['suspend', 'remove', 'revoke', 'update'] as const)(
    'an operator loses what it had at once: %s',
    async (how) => {
      const { operators, credentials } = server.server.registry;
      const name = { id: 'operator', by: 'system' };
      const change = () =>
        call('POST', '/api/v1/organisations/demo/suspend', as(tokens.administrator2 ?? tokens.operator));
      expect((await call('GET', '/api/v1/organisations', as(tokens.operator))).status).toBe(200);
      if (how === 'suspend') await operators.suspend(name);
      else if (how === 'remove') await operators.remove(name);
      else if (how === 'update') await operators.update({ ...name, role: 'reader' });
      else
        for (const { id } of await credentials.list('operator:operator'))
          await credentials.revoke({ id, by: 'system' });
      expect((await change()).status).toBe(how === 'update' ? 403 : 401);
    },
  );
});
