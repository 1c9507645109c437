import { connectDevice, type DeviceOptions } from '@sallyport/device';
import type { Packet } from 'mqtt-packet';
import { afterEach, describe, expect, it } from 'vitest';
import { type Script, scriptedServer } from '../../packages/device/test/scripted-server.ts';

/*
 * Somebody plays the server, with a certificate that the device trusts: it is after the password, or wants to be believed without it.
 */

const PASSWORD = 'correct horse battery';
const METHOD = 'SCRAM-SHA-256';
const SALT = Buffer.from('sixteen byte salt').toString('base64');

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
});

async function impostor(script: Script) {
  const sent: Packet[] = [];
  const server = await scriptedServer((packet, peer, connection) => {
    sent.push(packet);
    script(packet, peer, connection);
  });
  opened.push(server);
  const connect = (more: Partial<DeviceOptions> = {}) =>
    connectDevice({
      ...{ host: 'localhost', port: server.port, ca: server.ca, organisation: 'demo', type: 'pump', id: 'pump-7' },
      ...{ username: 'alice', password: PASSWORD, scram: METHOD, connectTimeout: 60_000 },
      ...more,
    });
  return { connect, sent, server };
}

const auth = (text?: string, method = METHOD) => ({
  authenticationMethod: method,
  ...(text === undefined ? {} : { authenticationData: Buffer.from(text) }),
});
const nonceIn = (packet: Packet) => {
  const { properties } = packet as { properties?: { authenticationData?: Buffer } };
  return /r=(.*)$/.exec(String(properties?.authenticationData))?.[1] ?? '';
};
const challenge = (packet: Packet, iterations: number | string): Packet => ({
  cmd: 'auth',
  reasonCode: 0x18,
  properties: auth(`r=${nonceIn(packet)}more,s=${SALT},i=${iterations}`),
});
const yes = (text?: string, method = METHOD): Packet => ({
  cmd: 'connack',
  sessionPresent: false,
  reasonCode: 0,
  properties: auth(text, method),
});

describe('a server that does not know the password', () => {
  it.each([
    ['says yes without asking', [yes()]],
    ['says yes as if nobody had asked for SCRAM', [{ cmd: 'connack', sessionPresent: false, reasonCode: 0 } as Packet]],
    ['says yes with a signature of its own', [yes(`v=${'A'.repeat(43)}=`)]],
  ])('is not believed when it %s', async (_, answers) => {
    const { connect, sent } = await impostor((packet, peer) => {
      if (packet.cmd === 'connect') for (const answer of answers) peer.send(answer);
    });
    await expect(connect()).rejects.toMatchObject({ code: 'server_not_proven', cure: expect.any(String) });
    expect(sent.map(({ cmd }) => cmd)).toEqual(['connect']);
  });

  it.each([
    ['a forged signature', `v=${Buffer.alloc(32).toString('base64')}`],
    ['no signature', undefined],
    ['an error', 'e=invalid-proof'],
  ])('is not believed after the question when it has %s, and gets no message', async (_, conclusion) => {
    const { connect, sent } = await impostor((packet, peer) => {
      if (packet.cmd === 'connect') peer.send(challenge(packet, 4_096));
      if (packet.cmd === 'auth') peer.send(yes(conclusion));
    });
    await expect(connect()).rejects.toMatchObject({ code: 'server_not_proven' });
    expect(sent.map(({ cmd }) => cmd)).toEqual(['connect', 'auth']);
  });

  it.each([1, 4_095, 1_000_001, 4_000_000_000])('gets no proof for %i iterations', async (iterations) => {
    const { connect, sent } = await impostor((packet, peer) => {
      if (packet.cmd === 'connect') peer.send(challenge(packet, iterations));
    });
    await expect(connect()).rejects.toMatchObject({ code: 'server_not_proven' });
    expect(sent.map(({ cmd }) => cmd)).toEqual(['connect']);
  });

  it('cannot talk the device into another method or into a password in clear', async () => {
    const { connect, sent, server } = await impostor((packet, peer) => {
      if (packet.cmd !== 'connect') return;
      peer.send({ cmd: 'auth', reasonCode: 0x18, properties: auth('password please', 'PLAIN') });
    });
    await expect(connect()).rejects.toBeInstanceOf(Error);
    const refusing = await impostor((packet, peer) => {
      if (packet.cmd === 'connect') peer.send({ cmd: 'connack', sessionPresent: false, reasonCode: 0x8c });
    });
    await expect(refusing.connect()).rejects.toMatchObject({ code: 'connection_refused' });
    for (const packet of [...sent, ...refusing.sent]) {
      expect(packet).not.toHaveProperty('password');
      expect(JSON.stringify(packet)).not.toContain(PASSWORD);
    }
    expect([server.connections(), refusing.server.connections()]).toEqual([1, 1]);
  });

  it('gets one proof in a connection', async () => {
    const { connect, sent } = await impostor((packet, peer) => {
      if (packet.cmd === 'connect') {
        const question = challenge(packet, 4_096);
        peer.send(question);
        peer.send(question);
      }
    });
    await expect(connect()).rejects.toMatchObject({ code: 'server_not_proven' });
    expect(sent.filter(({ cmd }) => cmd === 'auth').length).toBeLessThanOrEqual(1);
  });

  it('is not offered a second connection when it appears later, in the place of the true one', async () => {
    // The same server, which knows the password at first.
    const { ScramClient } = await import('../scram-client.ts');
    let connections = 0;
    let nonce = '';
    const { connect, server } = await impostor((packet, peer) => {
      if (packet.cmd === 'connect') {
        connections++;
        nonce = nonceIn(packet);
        peer.send(challenge(packet, 4_096));
      }
      if (packet.cmd === 'auth') {
        const known = new ScramClient(METHOD, 'alice', PASSWORD, 'n,,', nonce);
        known.final(`r=${nonce}more,s=${SALT},i=4096`);
        peer.send(yes(connections === 1 ? `v=${known.serverSignature}` : undefined));
      }
      if (packet.cmd === 'publish') peer.drop();
    });
    const device = await connect({ backoff: { first: 100, longest: 100 } });
    device.publishEvent('status', 1, { qos: 0 }).catch(() => {});
    expect(await device.closed).toMatchObject({ code: 'server_not_proven' });
    expect(server.connections()).toBe(2);
  });
});
