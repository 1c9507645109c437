import { connectApplication } from '@sallyport/application';
import { connectDevice } from '@sallyport/device';
import type { Failure } from '@sallyport/model';
import type { Packet } from 'mqtt-packet';
import { afterEach, describe, expect, it } from 'vitest';
import { type Script, scriptedServer } from '../../packages/device/test/scripted-server.ts';
import { type TestServer, testServer } from '../server.ts';

const ME = { host: 'localhost', organisation: 'demo', type: 'pump', id: 'pump-7', token: 'Quiet-River+42' };
const YES: Packet = { cmd: 'connack', sessionPresent: false, reasonCode: 0, returnCode: 0 };
/** A PUBLISH that says it has 200 MB. */
const HEAD = Uint8Array.of(0x30, 0x80, 0x84, 0xaf, 0x5f);
const PIECE = new Uint8Array(65_536);

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});

describe('a server that sends more than a device takes', () => {
  it.each([4, 5] as const)('fills no memory: it is left at the first bytes; MQTT %s', async (protocolVersion) => {
    let pieces = 0;
    const script: Script = (packet, peer, connection) => {
      if (packet.cmd === 'connect') peer.send(YES);
      if (packet.cmd !== 'publish') return;
      if (connection > 1) return peer.send({ cmd: 'puback', messageId: packet.messageId ?? 0, reasonCode: 0 });
      peer.raw(HEAD);
      const pour = setInterval(() => {
        pieces += 1;
        peer.raw(PIECE);
        if (pieces > 3_000) clearInterval(pour);
      }, 1);
      opened.push({ close: async () => clearInterval(pour) });
    };
    const server = await scriptedServer(script);
    opened.push(server);
    const backoff = { first: 100, longest: 100 };
    const device = await connectDevice({ ...ME, port: server.port, ca: server.ca, protocolVersion, backoff });
    opened.push(device);
    const problem = new Promise<Failure>((resolve) => device.on('problem', resolve));
    const online = new Promise<void>((resolve) => device.on('online', () => resolve()));
    const published = device.publishEvent('status', 1);
    expect(await problem).toMatchObject({
      code: 'server_packet_too_large',
      message: expect.stringContaining('1048576'),
    });
    await Promise.all([online, published]);
    expect(pieces).toBeLessThan(3_000);
  });
});

describe('a real server', () => {
  it('keeps to what a device of MQTT 5 takes, and goes on with what fits', async () => {
    const server: TestServer = await testServer();
    opened.push(server);
    const place = { host: server.host, port: server.port, ca: server.rootFile, organisation: 'demo' };
    const pump = { type: 'pump', id: 'pump-7' };
    const device = await connectDevice({
      ...place,
      ...pump,
      token: server.tokens['pump-7'] ?? '',
      maximumPacketSize: 2_000,
    });
    opened.push(device);
    const problems: Failure[] = [];
    device.on('problem', (problem) => problems.push(problem));
    const heard: unknown[] = [];
    const last = new Promise<void>((resolve) => {
      void device.onCommand('+', ({ name }) => {
        heard.push(name);
        if (name === 'small') resolve();
      });
    });
    const desk = await connectApplication({
      ...place,
      id: 'desk',
      key: server.keys.desk ?? '',
      token: server.tokens.desk ?? '',
    });
    opened.push(desk);
    await desk.sendCommand(pump, 'large', { text: 'x'.repeat(3_000) });
    await desk.sendCommand(pump, 'small', { text: 'x' });
    await last;
    expect([heard, problems]).toEqual([['small'], []]);
  });
});
