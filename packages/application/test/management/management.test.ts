import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { connectManagement, everyItem, ManagementFailure } from '@sallyport/application/management';
import { Failure } from '@sallyport/model';
import { afterEach, describe, expect, test } from 'vitest';
import { httpsServer, type Reply, type Seen } from './https-server.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function start(reply: (seen: Seen) => Reply = () => ({}), names?: Parameters<typeof httpsServer>[1]) {
  const server = await httpsServer(reply, names);
  closing.push(server.close);
  const client = connectManagement({ url: server.url, token: 'op-ann-secret', ca: server.root });
  closing.push(client.close);
  return { server, client };
}

async function failureOf(promise: Promise<unknown>): Promise<ManagementFailure> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Failure);
  return error as ManagementFailure;
}

describe('requests', () => {
  test('carry the token, JSON and the route', async () => {
    const { server, client } = await start(() => ({
      status: 201,
      body: { device: { id: 'pump-7' }, credentials: [] },
    }));
    const created = await client.devices.create({ organisation: 'demo', type: 'pump', id: 'pump-7', expiresIn: '90d' });
    expect(created.device.id).toBe('pump-7');
    expect(server.seen).toMatchObject([
      {
        method: 'POST',
        url: '/api/v1/organisations/demo/types/pump/devices',
        headers: { authorization: 'Bearer op-ann-secret', 'content-type': 'application/json' },
        body: '{"id":"pump-7","expiresIn":"90d"}',
      },
    ]);
  });

  test('escape ids, so that no id can name another route', async () => {
    const { server, client } = await start();
    await client.sessions.close('demo', 'a/b?c#d:+é');
    expect(server.seen[0]?.url).toBe('/api/v1/organisations/demo/sessions/a%2Fb%3Fc%23d%3A%2B%C3%A9');
    for (const id of ['..', '.', '']) {
      expect((await failureOf(client.organisations.remove(id).then(() => {}))).code).toBe('invalid_request');
    }
    expect(server.seen).toHaveLength(1);
  });

  test('send the version that was read when a policy is saved over it', async () => {
    const { server, client } = await start();
    await client.policies.put('demo', 'statements: []', { over: 4 });
    expect(server.seen[0]?.headers['if-match']).toBe('"4"');
  });

  test('walk a list to its end, page by page', async () => {
    const { client } = await start(({ url }) => {
      const after = new URL(url, 'https://x').searchParams.get('after');
      return { body: after === null ? { items: [{ id: 'a' }], next: 'a' } : { items: [{ id: after + after }] } };
    });
    const ids: string[] = [];
    for await (const one of everyItem((page) => client.organisations.list(page))) ids.push(one.id);
    expect(ids).toEqual(['a', 'aa']);
  });

  test('a token that was read from a file may end with a line break', async () => {
    const { server } = await start();
    const client = connectManagement({ url: server.url, token: 'op-ann-secret\n', ca: server.root });
    closing.push(client.close);
    await client.whoAmI();
    expect(server.seen[0]?.headers.authorization).toBe('Bearer op-ann-secret');
  });
});

describe('answers', () => {
  test('a problem becomes a failure with its code, detail, cure, ticket and fields', async () => {
    const { client } = await start(() => ({
      status: 400,
      type: 'application/problem+json',
      headers: { 'retry-after': '7' },
      body: {
        code: 'invalid_request',
        detail: 'body/id: is too long',
        cure: 'Shorten it.',
        ticket: 'ABC123',
        errors: [{ path: 'body/id', problem: 'is too long' }],
      },
    }));
    const failure = await failureOf(client.organisations.create({ id: 'x' }));
    expect(failure).toBeInstanceOf(ManagementFailure);
    expect({ ...failure, message: failure.message }).toMatchObject({
      code: 'invalid_request',
      message: 'body/id: is too long',
      cure: 'Shorten it.',
      status: 400,
      ticket: 'ABC123',
      errors: [{ path: 'body/id', problem: 'is too long' }],
      retryAfter: 7,
    });
  });

  test('a code that this client does not know is still a failure with the words of the server', async () => {
    const body = { code: 'something_new', detail: 'It is new.', cure: 'Learn it.' };
    const { client } = await start(() => ({ status: 418, type: 'application/problem+json', body }));
    expect(await failureOf(client.whoAmI())).toMatchObject({ code: 'invalid_request', cure: 'Learn it.' });
  });

  test.each([
    ['an error page', 502, 'text/html', '<h1>Bad gateway</h1>'],
    ['a page in place of JSON', 200, 'text/html', '<h1>Welcome</h1>'],
    ['a broken problem', 500, 'application/problem+json', '{'],
  ])('%s does not come from a Sallyport server', async (_, status, type, body) => {
    const { client } = await start(() => ({ status, type, body }));
    expect((await failureOf(client.whoAmI())).code).toBe('server_unreachable');
  });

  test('health that is failing is an answer', async () => {
    const { client } = await start(() => ({ status: 503, body: { status: 'failing', parts: {} } }));
    expect((await client.health()).status).toBe('failing');
  });

  test('a redirection is not followed, or the token would go where it leads', async () => {
    const { server, client } = await start(() => ({ status: 307, headers: { location: '/elsewhere' } }));
    await failureOf(client.whoAmI());
    expect(server.seen).toHaveLength(1);
  });
});

describe('trust', () => {
  test('a server with a foreign root is not trusted, and sees no token', async () => {
    const { server } = await start();
    const other = await start();
    const client = connectManagement({ url: server.url, token: 'op-ann-secret', ca: other.server.root });
    closing.push(client.close);
    expect((await failureOf(client.whoAmI())).code).toBe('server_not_trusted');
    const system = connectManagement({ url: server.url, token: 'op-ann-secret' });
    closing.push(system.close);
    expect((await failureOf(system.whoAmI())).code).toBe('server_not_trusted');
    expect(server.seen).toEqual([]);
  });

  test('a server with a certificate for another name is not trusted', async () => {
    const { client } = await start(() => ({}), { dnsNames: ['elsewhere.example'] });
    const failure = await failureOf(client.whoAmI());
    expect(failure.code).toBe('server_not_trusted');
    expect(failure.message).toContain('another host name');
  });

  test('a root that cannot be read or is none is said before anything is sent', async () => {
    const { server } = await start();
    for (const ca of ['/nowhere/root.pem', '-----BEGIN PRIVATE KEY-----']) {
      const client = connectManagement({ url: server.url, token: 't', ca });
      expect((await failureOf(client.whoAmI())).code).toBe('key_material_invalid');
    }
    expect(server.seen).toEqual([]);
  });

  test('nothing that listens, and something that speaks no TLS, is unreachable', async () => {
    const plain = createServer((socket) => socket.resume().end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
    const { port } = plain.address() as AddressInfo;
    const client = connectManagement({ url: `https://127.0.0.1:${port}`, token: 't' });
    closing.push(client.close);
    expect((await failureOf(client.whoAmI())).code).toBe('server_unreachable');
    await new Promise((resolve) => plain.close(resolve));
    const failure = await failureOf(client.whoAmI());
    expect(failure.code).toBe('server_unreachable');
    expect(failure.message).toContain(`127.0.0.1:${port}`);
  });

  test.each(['http://localhost:8443', 'localhost:8443', '', 'https://ann:secret@localhost:8443', 'ftp://x'])(
    'the address "%s" is refused before anything is sent, without repeating a secret in it',
    (url) => {
      expect(() => connectManagement({ url, token: 't' })).toThrow(Failure);
      expect(() => connectManagement({ url, token: 't' })).not.toThrow(/secret/);
    },
  );

  test('a token that cannot be one is refused without being repeated', () => {
    const url = 'https://localhost:8443';
    expect(() => connectManagement({ url, token: 'se cret\r\nx: y' })).toThrow(Failure);
    expect(() => connectManagement({ url, token: 'se cret\r\nx: y' })).not.toThrow(/cret/);
  });
});

describe('in a browser', () => {
  test('the given fetch carries the requests', async () => {
    const seen: Request[] = [];
    const client = connectManagement({
      url: 'https://iot.example/platform/',
      token: 't',
      fetch: async (input, init) => {
        seen.push(new Request(input as URL, init));
        return Response.json({ items: [] });
      },
    });
    expect(await client.audit({ type: 'session.*', limit: 5 })).toEqual({ items: [] });
    expect(seen[0]?.url).toBe('https://iot.example/platform/api/v1/audit?type=session.*&limit=5');
    expect(seen[0]?.headers.get('authorization')).toBe('Bearer t');
    expect(seen[0]?.credentials).toBe('omit');
  });

  test('a fetch that fails says that no answer came', async () => {
    const fetch = () => Promise.reject(new TypeError('Failed to fetch'));
    const client = connectManagement({ url: 'https://iot.example', token: 't', fetch });
    expect((await failureOf(client.whoAmI())).code).toBe('server_unreachable');
  });
});
