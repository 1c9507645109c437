import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';
import { connectPacket, identity, RawClient, VERSIONS } from './raw-client.ts';

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
  const { credentials } = server.server.registry;
  const principal = 'application:demo/tap';
  await credentials.createPassword({ principal, username: 'known', password: 'a password of tap', by: 'system' });
});
afterAll(() => server.close());

/** More than may be hashed and wait at once; each waits for its own answer. */
const FLOOD = 260;

describe('a flood of logins with passwords', () => {
  it('keeps no device or application with a token out, and refuses what is too much', { timeout: 20_000 }, async () => {
    const flood = await Promise.all(Array.from({ length: FLOOD }, () => RawClient.dial(server, 5)));
    for (const [index, client] of flood.entries()) {
      const username = index % 2 ? 'known' : `nobody-${index}`;
      client.send(connectPacket({ clientId: `flood-${index}`, username, password: Buffer.from('wrong') }, 5));
    }
    const waiting = flood.filter(({ packets }) => packets.length === 0).length;
    expect(waiting).toBeGreaterThan(0);
    for (const who of ['pump-7', 'hub-1', 'desk']) {
      const client = await RawClient.open(server, who);
      expect(await client.settled()).toBe(true);
      await client.vanish();
    }
    // Who is within the bound gets the coarse code; who is beyond it is refused as well, and nobody comes in.
    const answered = flood.map(({ packets }) => packets[0]).filter((packet) => packet !== undefined);
    for (const packet of answered) {
      expect([0x87, 0x88]).toContain(packet.type === 'connack' ? packet.reasonCode : -1);
    }
    expect(answered.some((packet) => packet.type === 'connack' && packet.reasonCode === 0x88)).toBe(true);
    await Promise.all(flood.map((client) => client.vanish()));
  });

  it('does not let a login be finished with a credential that was revoked while it waited', {
    timeout: 20_000,
  }, async () => {
    const { credentials } = server.server.registry;
    const principal = 'application:demo/lab';
    const password = 'a password of lab';
    const record = await credentials.createPassword({ principal, username: 'lab-user', password, by: 'system' });
    // Hashes of others come first, so that there is time.
    const others = await Promise.all(Array.from({ length: 12 }, () => RawClient.dial(server)));
    for (const client of others)
      client.send(connectPacket({ clientId: 'x', username: 'known', password: Buffer.from('x') }, 5));
    const late = await RawClient.dial(server);
    const answer = late.connect({ clientId: 'a:demo:lab', username: 'lab-user', password: Buffer.from(password) });
    for (const client of others.slice(0, 4)) await client.take('connack');
    await credentials.revoke({ id: record.id, by: 'system' });
    expect(await answer).toMatchObject({ reasonCode: 0x87 });
    await Promise.all(others.map((client) => client.vanish()));
  });
});

describe.each(VERSIONS)('with version %s', (version) => {
  it('a known and an unknown user name get the same answer and both pay for a hash', async () => {
    const answers = [];
    for (const username of ['known', 'unknown', 'KNOWN', 'known\u00a0']) {
      const client = await RawClient.dial(server, version);
      const { reasonCode } = await client.connect({ clientId: 'x', username, password: Buffer.from('wrong') });
      answers.push(reasonCode);
      await client.gone;
    }
    expect(new Set(answers)).toEqual(new Set([version === 5 ? 0x87 : 5]));
  });

  it.each([
    ['longer than a password may be', Buffer.alloc(60_000, 'x')],
    ['that is no text', Buffer.from([0xff, 0xfe, 0x80])],
    ['of nothing', Buffer.of()],
  ])('a password %s is refused like any other', async (_, password) => {
    const login = { clientId: 'x', username: 'known', password };
    const { client, code } = await RawClient.login(server, login, version);
    expect(code).toBe(version === 5 ? 0x87 : 5);
    await client.gone;
  });
});

it('the password opens the door where none of that is done', async () => {
  const login = { ...identity(server, 'tap'), username: 'known', password: Buffer.from('a password of tap') };
  const { client, code } = await RawClient.login(server, login);
  expect(code).toBe(0);
  await client.vanish();
});
