import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server.close());

function add(introspection: { url: string; clientId: string; secretFile?: string; keyFile?: string }) {
  return server.api.issuers.add('demo', {
    id: 'x',
    issuer: 'https://x.test',
    audience: 'x',
    tokens: 'opaque',
    introspection,
  });
}

describe('an operator who sets up an issuer', () => {
  it.each([
    '../operator.token',
    '/etc/shadow',
    'a/../../token.key',
    '..',
    '.',
    '',
    'a\0b',
    '..\\token.key',
    'x'.repeat(80),
  ])('cannot have %j sent to an address of its own as a client secret', async (name) => {
    const there = { url: 'https://x.test/introspect', clientId: 'x' };
    await expect(add({ ...there, secretFile: name })).rejects.toMatchObject({ code: 'invalid_request' });
    await expect(add({ ...there, keyFile: name })).rejects.toMatchObject({ code: 'invalid_request' });
  });

  it('cannot have tokens asked about in clear', async () => {
    const asked = add({ url: 'http://x.test/introspect', clientId: 'x', secretFile: 'x' });
    await expect(asked).rejects.toMatchObject({ code: 'invalid_request' });
  });

  it('has to be an administrator', async () => {
    const { token } = await server.api.operators.create({ id: 'reader', role: 'reader' });
    const { connectManagement } = await import('@sallyport/application/management');
    const api = connectManagement({
      url: `https://localhost:${server.httpPort}`,
      token: token ?? '',
      ca: server.rootPem,
    });
    const body = { id: 'y', issuer: 'https://y.test', audience: 'y', jwksUrl: 'https://y.test/jwks' };
    await expect(api.issuers.add('demo', body)).rejects.toMatchObject({ code: 'forbidden' });
    expect((await api.issuers.list('demo')).items).toEqual([]);
  });
});
