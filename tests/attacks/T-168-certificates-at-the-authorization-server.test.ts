import { pemOf } from '@sallyport/trust';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { issuedPair, ownAuthority, type Pair, pairOf } from '../certificate-clients.ts';
import { approved, begin, PUMP } from '../device-flow.ts';
import { ask } from '../oauth-client.ts';
import { type TestServer, testServer } from '../server.ts';

const HOUR = 3_600_000;
let server: TestServer;
let desk: Pair & { readonly id: string };
let pump: Pair & { readonly id: string };
beforeAll(async () => {
  server = await testServer({
    'authorizationServer.organisations': ['demo', 'other'],
    'authorizationServer.deviceInterval': '100ms',
    'listeners.enrolment.enabled': true,
    'listeners.enrolment.port': 0,
  });
  desk = await issuedPair(server, 'application:demo/desk');
  pump = await issuedPair(server, 'device:demo/pump/pump-7');
});
afterAll(() => server.close());

type Form = Readonly<Record<string, string>>;
const door = () => ({ rootPem: server.rootPem, httpPort: server.server.enrolmentPort ?? 0 });

async function outcome(
  pair: Pair | undefined,
  clientId: string,
  more: Form = {},
  organisation = 'demo',
): Promise<string> {
  const form = { grant_type: 'client_credentials', client_id: clientId, ...more };
  const { status, json } = await ask(door(), `/oauth/${organisation}/token`, { form, ...(pair && { pair }) });
  return status === 200 ? String(json.access_token) : String(json.error);
}

describe('a certificate', () => {
  it('opens nothing in the name of another, of another kind, or in another organisation', async () => {
    expect(await outcome(desk, 'tap')).toBe('invalid_client');
    expect(await outcome(desk, 'd:demo:pump:pump-7')).toBe('invalid_client');
    expect(await outcome(pump, 'd:demo:pump:pump-8')).toBe('invalid_client');
    expect(await outcome(pump, 'desk')).toBe('invalid_client');
    expect(await outcome(desk, 'desk', {}, 'other')).toBe('invalid_client');
    expect(await outcome(pump, 'd:other:pump:pump-7', {}, 'other')).toBe('invalid_client');
    expect(await outcome(desk, 'nobody')).toBe('invalid_client');
    expect(await outcome(pump, 'd:demo:pump:pump-99')).toBe('invalid_client');
  });

  it('opens nothing by the right name alone', async () => {
    const stranger = await ownAuthority('Stranger');
    expect(await outcome(await pairOf(stranger, 'a:desk'), 'desk')).toBe('invalid_client');
    expect(await outcome(await pairOf(stranger, 'd:pump:pump-7'), PUMP)).toBe('invalid_client');
  });

  it('opens nothing before and after its time, also not where its authority is trusted', async () => {
    const authority = await ownAuthority('Trusted', Date.now() - 6 * HOUR);
    await server.api.authorities.add('demo', pemOf('CERTIFICATE', authority.certificate.der));
    expect(await outcome(await pairOf(authority, 'a:desk', { now: Date.now() - 3 * HOUR }), 'desk')).toBe(
      'invalid_client',
    );
    expect(await outcome(await pairOf(authority, 'a:desk', { now: Date.now() + 2 * HOUR }), 'desk')).toBe(
      'invalid_client',
    );
    expect(decodeJwt(await outcome(await pairOf(authority, 'a:desk'), 'desk')).sub).toBe('application:desk');
    // The neighbour does not trust it.
    expect(await outcome(await pairOf(authority, 'a:desk'), 'desk', {}, 'other')).toBe('invalid_client');
  });

  it('opens nothing for whom is suspended, and nothing after it was revoked', async () => {
    const device = { organisation: 'demo', type: 'pump', id: 'pump-8', by: 'system' };
    const pair = await issuedPair(server, 'device:demo/pump/pump-8');
    expect(decodeJwt(await outcome(pair, 'd:demo:pump:pump-8')).sub).toBe('device:pump/pump-8');
    await server.server.registry.devices.suspend(device);
    expect(await outcome(pair, 'd:demo:pump:pump-8')).toBe('invalid_client');
    await server.server.registry.devices.resume(device);
    await server.api.certificates.revoke('demo', pair.id);
    expect(await outcome(pair, 'd:demo:pump:pump-8')).toBe('invalid_client');
  });

  it('does not make a wrong secret good, and a right secret of another does not help it', async () => {
    expect(await outcome(desk, 'desk', { client_secret: 'wrong' })).toBe('invalid_client');
    expect(await outcome(desk, 'tap', { client_secret: server.tokens.desk ?? '' })).toBe('invalid_client');
  });
});

describe('without a certificate', () => {
  it('nobody is believed who sends one in a header, or names the method', async () => {
    const [cert = ''] = desk.cert.split(/(?<=-----END CERTIFICATE-----\n)/);
    const headers = {
      'x-ssl-client-cert': encodeURIComponent(cert),
      'client-cert': `:${Buffer.from(cert).toString('base64')}:`,
      'x-ssl-client-verify': 'SUCCESS',
    };
    const form = { grant_type: 'client_credentials', client_id: 'desk', token_endpoint_auth_method: 'tls_client_auth' };
    for (const at of [door(), server]) {
      expect((await ask(at, '/oauth/demo/token', { form, headers })).json.error).toBe('invalid_client');
    }
  });

  it('a device gets no token of its own accord, on neither port', async () => {
    const form = { grant_type: 'client_credentials', client_id: PUMP };
    for (const at of [door(), server]) {
      expect((await ask(at, '/oauth/demo/token', { form })).json.error).toBe('invalid_request');
    }
  });

  it('the port for browsers asks for none, and the other one has no page to approve anything', async () => {
    const form = { grant_type: 'client_credentials', client_id: 'desk' };
    expect((await ask(server, '/oauth/demo/token', { form, pair: desk })).json.error).toBe('invalid_client');
    expect((await ask(door(), '/oauth/demo/device', { pair: desk })).status).toBe(404);
  });
});

it('a token that is bound cannot be renewed into one that is not', async () => {
  const granted = await approved(server);
  const form = { grant_type: 'refresh_token', refresh_token: String(granted.refresh_token), client_id: PUMP };
  // Who proves itself by certificate has no refresh tokens; who has none gets tokens without binding, as before.
  expect((await ask(door(), '/oauth/demo/token', { form, pair: pump })).json.error).toBe('invalid_request');
  const begun = await begin({ ...server, httpPort: door().httpPort });
  expect(begun.status).toBe(200);
  const shown = await ask(door(), '/oauth/demo/device/auth', { form: { client_id: PUMP }, pair: pump });
  expect(shown.json.error).toBe('invalid_request');
});
