import { connectManagement } from '@sallyport/application/management';
import { loadConfiguration, startServer } from '@sallyport/server';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { issuedPair, knock, ownAuthority, pairOf } from '../certificate-clients.ts';
import { type TestServer, testServer } from '../server.ts';
import { type From, identity, RawClient, VERSIONS } from './raw-client.ts';

const HOME = { localAddress: '127.0.0.10' };
const STRANGER = { localAddress: '127.0.0.11' };
const ELSEWHERE = { localAddress: '127.0.0.12' };
/** Loopback is counted here as any other network is. */
const SETTINGS = {
  'limits.boundLoopback': true,
  'guessing.failuresPerPrincipal': 4,
  'guessing.failuresPerAddress': 8,
  'guessing.block': '1h',
};

let server: TestServer;
beforeEach(async () => {
  server = await testServer(SETTINGS);
});
afterEach(() => server.close());

const wrong = (who: string) => ({ ...identity(server, who), password: Buffer.from('wrong-token') });
/** Undefined: not even a handshake. */
async function attempt(
  login: Parameters<typeof RawClient.login>[1],
  from: From,
  version: 4 | 5 = 5,
): Promise<number | undefined> {
  try {
    const { client, code } = await RawClient.login(server, login, version, from);
    await client.vanish();
    return code;
  } catch {
    return undefined;
  }
}
async function guess(who: string, times: number, from: From): Promise<(number | undefined)[]> {
  const codes = [];
  for (let count = 0; count < times; count++) codes.push(await attempt(wrong(who), from));
  return codes;
}
const lastRefusal = async () => (await server.api.refusals({ limit: 1 })).items[0];

describe('a stranger who guesses the token of a device', { timeout: 60_000 }, () => {
  it.each(VERSIONS)(
    'is stopped, and from then on not even the right token is looked at, in version %s',
    async (version) => {
      expect(await guess('pump-7', 4, STRANGER)).toEqual([0x87, 0x87, 0x87, 0x87]);
      expect(await attempt(identity(server, 'pump-7'), STRANGER, version)).toBe(version === 5 ? 0x97 : 3);
      const refusal = await lastRefusal();
      expect(refusal).toMatchObject({ reason: 'too_many_attempts', address: '127.0.0.11' });
      expect(refusal?.cure).toContain('sallyport block');
      // Of others nothing is blocked yet from there.
      expect(await attempt(identity(server, 'pump-8'), STRANGER, version)).toBe(0);
    },
  );

  it('gets no further with a certificate: it opens the way to whom it names, and to no guess', async () => {
    const security = 'tls-certificate-or-token';
    await server.api.types.update({ organisation: 'demo', id: 'pump' }, { security });
    const pair = await issuedPair(server, 'device:demo/pump/pump-8');
    await guess('pump-7', 4, STRANGER);
    const own = await knock(server, { clientId: 'd:demo:pump:pump-8', ...pair, tls: STRANGER });
    expect(own.code).toBe(0);
    await own.client.endAsync(true);
    const token = server.tokens['pump-7'] ?? '';
    const self = await pairOf(await ownAuthority(), 'd:pump:pump-7');
    for (const shown of [pair, self]) {
      await server.api.types.update({ organisation: 'demo', id: 'pump' }, { security: 'tls-token' });
      const other = await knock(server, { clientId: 'd:demo:pump:pump-7', token, ...shown, tls: STRANGER });
      expect(other.code).not.toBe(0);
      expect(await lastRefusal()).toMatchObject({ reason: 'too_many_attempts' });
    }
  });

  it('does not lock the device out: neither where it is known, nor anywhere else', async () => {
    expect(await attempt(identity(server, 'pump-7'), HOME)).toBe(0);
    await guess('pump-7', 12, STRANGER);
    expect(await attempt(identity(server, 'pump-7'), HOME)).toBe(0);
    expect(await attempt(identity(server, 'pump-7'), ELSEWHERE)).toBe(0);
  });

  it('does not lock it out from its own address either', async () => {
    expect(await attempt(identity(server, 'pump-7'), HOME)).toBe(0);
    await guess('pump-7', 6, HOME);
    await guess('pump-8', 8, HOME);
    expect(await attempt(identity(server, 'pump-7'), HOME)).toBe(0);
    expect(await attempt(identity(server, 'pump-8'), HOME)).toBe(0x97);
    expect(await attempt(identity(server, 'pump-8'), ELSEWHERE)).toBe(0);
  });

  it('gets no handshake any more after more attempts, whomever it names', async () => {
    for (let number = 0; number < 8; number++) {
      await attempt(
        { clientId: `d:demo:pump:invented-${number}`, username: 'use-token-auth', password: Buffer.from('x') },
        STRANGER,
      );
    }
    expect(await attempt(identity(server, 'pump-8'), STRANGER)).toBe(undefined);
    expect(await lastRefusal()).toMatchObject({ action: 'handshake', reason: 'too_many_attempts' });
    expect(await attempt(identity(server, 'pump-8'), ELSEWHERE)).toBe(0);
  });

  it('is still blocked after a restart, and until an operator releases it; the audit trail has both', async () => {
    await guess('pump-7', 4, STRANGER);
    const { directory, close } = server;
    await server.server.close();
    const overrides = {
      dataDirectory: directory,
      'listeners.mqttTls.port': 0,
      'listeners.http.port': 0,
      'log.level': 'silent',
      ...SETTINGS,
    };
    const again = await startServer({ configuration: loadConfiguration({ overrides }) });
    const api = connectManagement({
      url: `https://localhost:${again.httpPort}`,
      token: server.operatorToken,
      ca: again.rootPem,
    });
    server = { ...server, server: again, port: again.mqttPort ?? 0, httpPort: again.httpPort, api };
    server.close = async () => {
      await again.close();
      await close();
    };
    expect(await attempt(identity(server, 'pump-7'), STRANGER)).toBe(0x97);
    expect((await api.blocks.list()).items).toEqual([
      expect.objectContaining({ network: '127.0.0.11', principal: 'device:demo/pump/pump-7', failures: 4 }),
    ]);
    await expect(api.blocks.release({ address: '127.0.0' })).rejects.toThrow(/address/);
    expect(await api.blocks.release({ address: '127.0.0.11' })).toEqual({ released: 1 });
    expect(await attempt(identity(server, 'pump-7'), STRANGER)).toBe(0);
    await expect
      .poll(async () => (await api.audit({ type: 'guessing.*', order: 'oldest' })).items)
      .toEqual([
        expect.objectContaining({ type: 'guessing.blocked', address: '127.0.0.11' }),
        expect.objectContaining({ type: 'guessing.released', by: 'operator:admin' }),
      ]);
  });
});

it('a fleet that comes back all at once is not taken for guessing', { timeout: 60_000 }, async () => {
  for (let round = 0; round < 6; round++) {
    const codes = await Promise.all(
      ['pump-7', 'pump-8', 'hub-1', 'desk', 'tap'].map((who) => attempt(identity(server, who), HOME)),
    );
    expect(codes).toEqual([0, 0, 0, 0, 0]);
  }
  expect((await server.api.blocks.list()).items).toEqual([]);
});
