import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ScramClient, type ScramName } from '../scram-client.ts';
import { type TestServer, testServer } from '../server.ts';
import { RawClient } from './raw-client.ts';

const clientId = 'd:demo:pump:pump-7';
const METHODS: readonly ScramName[] = ['SCRAM-SHA-256', 'SCRAM-SHA-512'];
const PASSWORD = 'correct horse battery';

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
  const device = { organisation: 'demo', type: 'pump', id: 'pump-7' };
  await server.api.devices.credentials.issue(device, {
    password: { username: 'alice', password: PASSWORD, scram: true },
  });
  await server.api.devices.credentials.issue(device, { password: { username: 'bob', password: 'only for CONNECT' } });
});
afterAll(() => server.close());

const auth = (method: string, text: string) => ({
  authenticationMethod: method,
  authenticationData: Buffer.from(text),
});
const textOf = (data: Uint8Array | undefined) => Buffer.from(data ?? []).toString();

/** To the server's first message. */
async function begin(scram: ScramClient, id = clientId): Promise<{ client: RawClient; serverFirst: string }> {
  const client = await RawClient.dial(server);
  const properties = auth(scram.method, scram.first);
  client.send({ type: 'connect', protocolVersion: 5, cleanStart: true, keepAlive: 60, clientId: id, properties });
  const challenge = await client.take('auth');
  return { client, serverFirst: textOf(challenge.properties?.authenticationData) };
}

async function login(scram: ScramClient, changes: Parameters<ScramClient['final']>[1] = {}, id = clientId) {
  const { client, serverFirst } = await begin(scram, id);
  client.send({ type: 'auth', reasonCode: 0x18, properties: auth(scram.method, scram.final(serverFirst, changes)) });
  const answer = await client.take('connack');
  return { client, answer };
}

describe.each(METHODS)('%s', (method) => {
  it('lets in who knows the password, proves that the server knows it too, and may be done again in the session', async () => {
    const scram = new ScramClient(method, 'alice', PASSWORD);
    const { client, answer } = await login(scram);
    expect(answer.reasonCode).toBe(0);
    expect(answer.properties?.authenticationMethod).toBe(method);
    expect(textOf(answer.properties?.authenticationData)).toBe(`v=${scram.serverSignature}`);
    const again = new ScramClient(method, 'alice', PASSWORD);
    client.send({ type: 'auth', reasonCode: 0x19, properties: auth(method, again.first) });
    const serverFirst = textOf((await client.take('auth')).properties?.authenticationData);
    client.send({ type: 'auth', reasonCode: 0x18, properties: auth(method, again.final(serverFirst)) });
    const done = await client.take('auth');
    expect([done.reasonCode, textOf(done.properties?.authenticationData)]).toEqual([0, `v=${again.serverSignature}`]);
    await client.vanish();
  });

  it.each([
    ['a wrong password', 'alice', 'wrong'],
    ['a name that nobody has', 'mallory', PASSWORD],
    ['a name in other case', 'Alice', PASSWORD],
    ['a password that is not for SCRAM', 'bob', 'only for CONNECT'],
  ])('refuses %s with one and the same answer, after the same steps', async (_, username, password) => {
    const { client, answer } = await login(new ScramClient(method, username, password));
    expect(answer.reasonCode).toBe(0x87);
    expect(answer.properties).not.toHaveProperty('authenticationData');
    await client.gone;
  });

  it('gives every name a salt that stays the same, whether anybody has it or not', async () => {
    for (const username of ['alice', 'mallory']) {
      const salts = new Set<string>();
      for (let time = 0; time < 2; time++) {
        const { client, serverFirst } = await begin(new ScramClient(method, username, 'x'));
        const [, salt = '', iterations = ''] = serverFirst.split(',');
        expect([salt.length, iterations]).toEqual([26, 'i=32768']);
        salts.add(salt);
        await client.vanish();
      }
      expect(salts.size, username).toBe(1);
    }
  });

  it('does not take what was overheard: a proof of before, its own nonce, another header', async () => {
    const overheard = new ScramClient(method, 'alice', PASSWORD);
    const { client, serverFirst } = await begin(overheard);
    const final = overheard.final(serverFirst);
    await client.vanish();
    const replay = new ScramClient(method, 'alice', 'unknown', 'n,,', overheard.nonce);
    const second = await begin(replay);
    expect(second.serverFirst).not.toBe(serverFirst);
    second.client.send({ type: 'auth', reasonCode: 0x18, properties: auth(method, final) });
    expect((await second.client.take('connack')).reasonCode).toBe(0x87);
    const own = new ScramClient(method, 'alice', PASSWORD);
    expect((await login(own, { nonce: own.nonce })).answer.reasonCode).toBe(0x87);
    expect((await login(new ScramClient(method, 'alice', PASSWORD), { header: 'y,,' })).answer.reasonCode).toBe(0x87);
  });

  it('is not begun by channel binding, which is not offered, nor for somebody else', async () => {
    for (const header of ['p=tls-exporter,,', 'n,a=bob,']) {
      const client = await RawClient.dial(server);
      const { first } = new ScramClient(method, 'alice', PASSWORD, header);
      expect((await client.connect({ clientId, properties: auth(method, first) })).reasonCode).toBe(0x87);
      await client.gone;
    }
  });

  it('proves a principal and not a client id', async () => {
    const { answer } = await login(new ScramClient(method, 'alice', PASSWORD), {}, 'd:demo:pump:pump-8');
    expect(answer.reasonCode).not.toBe(0);
  });

  it('is no password of CONNECT', async () => {
    const { code } = await RawClient.login(server, { clientId, username: 'alice', password: Buffer.from(PASSWORD) });
    expect(code).toBe(0x87);
  });
});

describe('a session that SCRAM has opened', () => {
  it('ends when the credential is revoked', async () => {
    const { client } = await login(new ScramClient('SCRAM-SHA-256', 'alice', PASSWORD));
    const device = { organisation: 'demo', type: 'pump', id: 'pump-7' };
    const { items } = await server.api.devices.credentials.list(device);
    const { id } = items.find(({ kind }) => kind === 'scram')!;
    await server.api.devices.credentials.revoke(device, id);
    await client.gone;
    const again = await login(new ScramClient('SCRAM-SHA-256', 'alice', PASSWORD));
    expect(again.answer.reasonCode).toBe(0x87);
  });
});

describe('a password for SCRAM', () => {
  it('has characters that every client prepares alike', async () => {
    const device = { organisation: 'demo', type: 'pump', id: 'pump-8' };
    const password = { username: 'carol', password: 'pässwörter', scram: true };
    await expect(server.api.devices.credentials.issue(device, { password })).rejects.toMatchObject({
      code: 'invalid_request',
    });
  });
});
