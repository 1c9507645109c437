import { connectDevice } from '@sallyport/device';
import type { Packet } from 'mqtt-packet';
import { afterEach, describe, expect, it } from 'vitest';
import { type Script, scriptedServer } from '../../packages/device/test/scripted-server.ts';

const ME = { host: 'localhost', organisation: 'demo', type: 'pump', id: 'pump-7', token: 'Quiet-River+42' };
const YES: Packet = { cmd: 'connack', sessionPresent: false, reasonCode: 0 };

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});
async function served(script: Script, more: object = {}) {
  const server = await scriptedServer(script);
  opened.push(server);
  const device = await connectDevice({ ...ME, port: server.port, ca: server.ca, ...more });
  opened.push(device);
  return { server, device };
}

describe('a server that wears its devices out', () => {
  it('is met with pauses that grow when it takes every connection and drops it', async () => {
    const times: number[] = [];
    let enough = () => {};
    const five = new Promise<void>((resolve) => {
      enough = resolve;
    });
    await served(
      (packet, peer) => {
        if (packet.cmd !== 'connect') return;
        times.push(performance.now());
        peer.send(YES);
        if (times.length > 1) peer.drop();
        else setImmediate(() => setTimeout(() => peer.drop(), 50));
        if (times.length === 5) enough();
      },
      // As long as they can be; a slow machine only makes them longer.
      { backoff: { first: 100, longest: 10_000, random: () => 0.999 } },
    );
    await five;
    const pauses = times.slice(2).map((time, at) => time - times[at + 1]!);
    for (const [at, pause] of pauses.entries()) expect(pause).toBeGreaterThan(180 * 2 ** at);
  });

  it('does not make a device give up by what is no MQTT, however often', async () => {
    const { device, server } = await served(
      (packet, peer, connection) => {
        if (packet.cmd === 'connect') peer.send(YES);
        if (packet.cmd === 'publish') {
          if (connection < 5) peer.raw(Buffer.from('ffffffffff', 'hex'));
          else peer.send({ cmd: 'puback', messageId: packet.messageId ?? 0, reasonCode: 0 });
        }
      },
      { backoff: { first: 100, longest: 100 } },
    );
    await device.publishEvent('status', 1);
    expect(server.connections()).toBe(5);
  });

  it('brings no handler a message that nobody subscribed to', async () => {
    const handled: unknown[] = [];
    const { device } = await served((packet, peer) => {
      if (packet.cmd === 'connect') peer.send(YES);
      if (packet.cmd === 'subscribe') {
        peer.send({ cmd: 'suback', messageId: packet.messageId ?? 0, granted: [1] });
        const message = { cmd: 'publish', payload: '1', qos: 0, dup: false, retain: false } as const;
        peer.send({ ...message, topic: 'iot-2/type/pump/id/pump-8/cmd/blink/fmt/json' });
        peer.send({ ...message, topic: 'iot-2/cmd/blink/fmt/json', properties: { subscriptionIdentifier: 77 } });
        peer.send({ ...message, topic: 'iot-2/cmd/last/fmt/json' });
      }
    });
    const last = new Promise<void>((resolve) => {
      void device.onCommand('+', ({ name }) => {
        handled.push(name);
        if (name === 'last') resolve();
      });
    });
    await last;
    expect(handled).toEqual(['last']);
  });
});
