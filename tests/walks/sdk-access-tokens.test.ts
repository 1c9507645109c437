import { generateKeyPairSync } from 'node:crypto';
import { type ApplicationOptions, connectApplication } from '@sallyport/application';
import { type ClientCredentials, connectDevice, type DeviceOptions } from '@sallyport/device';
import type { Failure } from '@sallyport/model';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';
import { TokenIssuer } from '../token-issuer.ts';

/*
 * Programs that come by access token: their sessions outlive their tokens.
 */

let server: TestServer;
let issuer: TokenIssuer;
const desk = { organisation: 'demo', id: 'desk' };
const pump = { organisation: 'demo', type: 'pump', id: 'pump-7' };
beforeAll(async () => {
  server = await testServer({ 'authorizationServer.organisations': ['demo'] });
  issuer = await TokenIssuer.open('EdDSA');
  const jwksUrl = `${issuer.url}/jwks`;
  const { audience } = issuer;
  await server.api.issuers.add('demo', { id: 'plant', issuer: issuer.url, audience, jwksUrl, principal: '{sub}' });
});
afterAll(async () => {
  await server.close();
  await issuer.close();
});

const place = () => ({ host: 'localhost', port: server.port, ca: server.rootFile });
const asDevice = (more: Partial<DeviceOptions>) => connectDevice({ ...place(), ...pump, ...more });
const asDesk = (more: Partial<ApplicationOptions>) => connectApplication({ ...place(), ...desk, ...more });
/** A token for the device that ends in so many seconds. */
const shortToken = (seconds: number, sub = 'device:pump/pump-7') => {
  const iat = Math.floor(Date.now() / 1000);
  return issuer.sign({ sub, iat, exp: iat + seconds, scope: 'mqtt:publish:iot-2/%23 mqtt:subscribe:iot-2/%23' });
};
const opened = async (clientId: string) =>
  (await server.api.sessions.list('demo')).items.find((session) => session.clientId === clientId);
const soon = async (holds: () => Promise<boolean> | boolean) => {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
};

describe('a device program with access tokens', () => {
  it('renews them in its session, which outlives the first', async () => {
    let fetched = 0;
    const accessToken = () => shortToken(fetched++ === 0 ? 3 : 300);
    const device = await asDevice({ accessToken });
    const before = await opened('d:demo:pump:pump-7');
    let breaks = 0;
    device.on('offline', () => breaks++);
    expect(await new Promise((resolve) => device.on('renewed', resolve))).toEqual({ what: 'access-token' });
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    await device.publishEvent('status', 1);
    expect((await opened('d:demo:pump:pump-7'))?.connectedAt).toBe(before?.connectedAt);
    expect([fetched, breaks]).toEqual([2, 0]);
    await device.close();
  });

  it('connects again with the fresh one by MQTT 3.1.1, before the old one has ended, and hears its commands', async () => {
    let fetched = 0;
    const accessToken = () => shortToken(fetched++ === 0 ? 3 : 300);
    const device = await asDevice({ accessToken, protocolVersion: 4 });
    const heard: unknown[] = [];
    await device.onCommand('blink', ({ payload }) => heard.push(payload));
    const problems: Failure[] = [];
    device.on('problem', (problem) => problems.push(problem));
    await new Promise((resolve) => device.on('renewed', resolve));
    await device.publishEvent('status', 1);
    const app = await asDesk({ key: server.keys.desk ?? '', token: server.tokens.desk ?? '' });
    await soon(async () => {
      await app.sendCommand(pump, 'blink', 7);
      return heard.length > 0;
    });
    expect([fetched, problems]).toEqual([2, []]);
    await app.close();
    await device.close();
  });

  it('loses no command by MQTT 3.1.1 while it moves from one token to the next', async () => {
    let fetched = 0;
    const accessToken = () => shortToken(fetched++ < 2 ? 3 : 300);
    const device = await asDevice({ accessToken, protocolVersion: 4 });
    const heard = new Set<unknown>();
    await device.onCommand('count', ({ payload }) => void heard.add(payload));
    let renewals = 0;
    device.on('renewed', () => renewals++);
    const app = await asDesk({ key: server.keys.desk ?? '', token: server.tokens.desk ?? '' });
    let sent = 0;
    // Without a pause: some come while there is no connection.
    while (renewals < 2) await app.sendCommand(pump, 'count', ++sent);
    await soon(() => heard.size >= sent);
    expect([...heard].sort((a, b) => Number(a) - Number(b))).toEqual(Array.from({ length: sent }, (_, at) => at + 1));
    await app.close();
    await device.close();
  });

  it('hears nothing by MQTT 3.1.1 that was kept for the start before', async () => {
    const accessToken = () => shortToken(300);
    const first = await asDevice({ accessToken, protocolVersion: 4 });
    await first.onCommand('+', () => {});
    await first.close();
    const app = await asDesk({ key: server.keys.desk ?? '', token: server.tokens.desk ?? '' });
    await app.sendCommand(pump, 'old', 1);
    const second = await asDevice({ accessToken, protocolVersion: 4 });
    const heard: string[] = [];
    await second.onCommand('+', ({ name }) => void heard.push(name));
    await app.sendCommand(pump, 'new', 1);
    await soon(() => heard.includes('new'));
    expect(heard).toEqual(['new']);
    await app.close();
    await second.close();
  });

  it('goes on with the present one while none can be fetched, and says so', async () => {
    let fetched = 0;
    const accessToken = () => {
      if (++fetched === 2) throw new Error('the cellar is flooded');
      return shortToken(fetched === 1 ? 6 : 300);
    };
    const device = await asDevice({ accessToken });
    const problem = await new Promise<Failure>((resolve) => device.on('problem', resolve));
    expect(problem).toMatchObject({ code: 'token_unavailable', message: expect.stringContaining('cellar') });
    await device.publishEvent('status', 1);
    await new Promise((resolve) => device.on('renewed', resolve));
    await device.close();
  });

  it('ends with a ticket when the server does not take the renewed one', async () => {
    let fetched = 0;
    const accessToken = () => (fetched++ === 0 ? shortToken(2) : shortToken(300, 'device:pump/pump-8'));
    const device = await asDevice({ accessToken });
    const reason = await device.closed;
    expect(reason).toMatchObject({ code: 'renewal_refused', ticket: expect.stringMatching(/^[0-9A-Z]{6}$/) });
    expect(reason?.cure).toContain('sallyport explain');
    expect(fetched).toBe(2);
  });

  it('is not held up by a function that never answers, if it may give up', async () => {
    const never = asDevice({ accessToken: () => new Promise<string>(() => {}), signal: AbortSignal.timeout(100) });
    await expect(never).rejects.toMatchObject({ name: 'TimeoutError' });
  });

  it('fetches another when the one it holds is refused in a new connection, and ends when that is refused too', async () => {
    let fetched = 0;
    const accessToken = () => shortToken(300, fetched++ === 0 ? 'device:pump/pump-7' : 'device:pump/pump-8');
    const device = await asDevice({ accessToken });
    await server.api.issuers.update('demo', 'plant', { longestLife: 200 });
    expect(await device.closed).toMatchObject({ code: 'connection_refused' });
    expect(fetched).toBe(2);
    await server.api.issuers.update('demo', 'plant', { longestLife: 86_400 });
  });
});

describe('an application with settings of a client', () => {
  const settings = (more: Partial<ClientCredentials> = {}): ClientCredentials => ({
    tokenEndpoint: `https://localhost:${server.httpPort}/oauth/demo/token`,
    ca: server.rootFile,
    clientId: 'desk',
    ...more,
  });

  it('proves itself to the authorization server by its secret', async () => {
    const app = await asDesk({ accessToken: settings({ clientSecret: server.tokens.desk ?? '' }) });
    await app.sendCommand(pump, 'blink', {});
    await app.close();
  });

  it.each(['ed25519', 'ec'])('proves itself by the signature of a key: %s', async (kind) => {
    const pair =
      kind === 'ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const publicKey = String(pair.publicKey.export({ type: 'spki', format: 'pem' }));
    const privateKey = String(pair.privateKey.export({ type: 'pkcs8', format: 'pem' }));
    await server.api.oauth.addClientKey(desk, publicKey);
    const issuerName = `https://localhost:${server.httpPort}/oauth/demo`;
    const app = await asDesk({ accessToken: settings({ privateKey, issuer: issuerName }) });
    await app.sendCommand(pump, 'blink', {});
    await app.close();
  });

  it('is told what to do when it gets no token, and does not come to the MQTT server', async () => {
    const refused = asDesk({ accessToken: settings({ clientSecret: 'wrong' }) });
    await expect(refused).rejects.toMatchObject({ code: 'token_refused', cure: expect.stringContaining('secret') });
    const scope = 'mqtt:subscribe:%23';
    const tooMuch = asDesk({ accessToken: settings({ clientSecret: server.tokens.desk ?? '', scope }) });
    await expect(tooMuch).rejects.toMatchObject({ code: 'token_refused', cure: expect.stringContaining('policy') });
    const away = asDesk({ accessToken: settings({ clientSecret: 'x', tokenEndpoint: 'https://localhost:1/token' }) });
    await expect(away).rejects.toMatchObject({ code: 'token_unavailable' });
  });

  it.each([
    [{ tokenEndpoint: 'http://localhost/token', clientSecret: 'x' }],
    [{}],
    [{ clientSecret: 'x', privateKey: 'y' }],
    [{ privateKey: 'y' }],
  ])('is told that %j are no settings', async (more) => {
    await expect(asDesk({ accessToken: settings(more) })).rejects.toMatchObject({ code: 'invalid_request' });
  });
});
