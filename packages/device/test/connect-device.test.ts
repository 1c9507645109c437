import { Failure } from '@sallyport/model';
import { createRootAuthority } from '@sallyport/trust';
import type { IConnackPacket, Packet } from 'mqtt-packet';
import { afterEach, describe, expect, it } from 'vitest';
import { type Command, connectDevice } from '../src/connect-device.ts';
import { RefusedByServer } from '../src/link-failure.ts';
import { type Script, scriptedServer } from './scripted-server.ts';

const ME = { host: 'localhost', organisation: 'demo', type: 'pump', id: 'pump-7', token: 'Quiet-River+42' };
const BACKOFF = { first: 100, longest: 100 };

const connack = (reasonCode: number, reasonString?: string): IConnackPacket => ({
  cmd: 'connack',
  sessionPresent: false,
  reasonCode,
  ...(reasonString === undefined ? {} : { properties: { reasonString } }),
});

/** Accepts and acknowledges everything, then does what is added. */
const polite =
  (more: Script = () => {}): Script =>
  (packet, peer, connection) => {
    if (packet.cmd === 'connect') peer.send(connack(0));
    if (packet.cmd === 'publish' && packet.messageId)
      peer.send({ cmd: 'puback', messageId: packet.messageId, reasonCode: 0 });
    if (packet.cmd === 'subscribe' && packet.messageId)
      peer.send({ cmd: 'suback', messageId: packet.messageId, granted: [1] });
    more(packet, peer, connection);
  };

describe('connectDevice', () => {
  const opened: { close(): Promise<void> }[] = [];
  const serve = async (script: Script) => {
    const server = await scriptedServer(script);
    opened.push(server);
    return server;
  };
  const connected = async (port: number, ca: string) => {
    const device = await connectDevice({ ...ME, port, ca, backoff: BACKOFF });
    opened.unshift(device);
    return device;
  };
  afterEach(async () => {
    for (const each of opened.splice(0)) await each.close();
  });

  it('shows its client id, the literal user name and the token', async () => {
    const seen: Packet[] = [];
    const { port, ca } = await serve(polite((packet) => seen.push(packet)));
    await connected(port, ca);
    expect(seen[0]).toMatchObject({
      cmd: 'connect',
      clientId: 'd:demo:pump:pump-7',
      username: 'use-token-auth',
      protocolVersion: 5,
    });
    expect(String((seen[0] as { password?: Buffer }).password)).toBe(ME.token);
  });

  it('publishes JSON to its own short topic and waits for the acknowledgement', async () => {
    const seen: Packet[] = [];
    const { port, ca } = await serve(polite((packet) => seen.push(packet)));
    const device = await connected(port, ca);
    await device.publishEvent('status', { on: true });
    expect(seen.find(({ cmd }) => cmd === 'publish')).toMatchObject({ topic: 'iot-2/evt/status/fmt/json', qos: 1 });
  });

  it('gives a command to every handler that asked for it, once', async () => {
    const { port, ca } = await serve(
      polite((packet, peer) => {
        if (packet.cmd !== 'subscribe') return;
        const properties = { subscriptionIdentifier: 1 };
        peer.send({
          cmd: 'publish',
          topic: 'iot-2/cmd/blink/fmt/json',
          payload: '{"times":3}',
          qos: 0,
          dup: false,
          retain: false,
          properties,
        });
      }),
    );
    const device = await connected(port, ca);
    const commands: Command[] = [];
    await new Promise<void>((resolve) => {
      void device.onCommand('blink', (command) => void commands.push(command));
      void device.onCommand('other', (command) => void commands.push(command));
      void device.onCommand('+', () => resolve());
    });
    expect(commands).toEqual([{ name: 'blink', format: 'json', payload: { times: 3 } }]);
  });

  it('reports a command that is not the JSON it claims to be, and calls nobody', async () => {
    const { port, ca } = await serve(
      polite((packet, peer) => {
        if (packet.cmd === 'subscribe') {
          peer.send({
            cmd: 'publish',
            topic: 'iot-2/cmd/blink/fmt/json',
            payload: '{',
            qos: 0,
            dup: false,
            retain: false,
          });
        }
      }),
    );
    const device = await connected(port, ca);
    const problem = new Promise<Failure>((resolve) => device.on('problem', resolve));
    let called = false;
    await device.onCommand('+', () => {
      called = true;
    });
    expect((await problem).code).toBe('invalid_request');
    expect(called).toBe(false);
  });

  it('tells ticket and reason code when it is refused', async () => {
    const { port, ca } = await serve((packet, peer) => {
      if (packet.cmd === 'connect') peer.send(connack(0x87, 'ticket 7Q4XKM'));
    });
    const refusal = await connectDevice({ ...ME, port, ca }).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(RefusedByServer);
    expect(refusal).toMatchObject({ code: 'connection_refused', reasonCode: 0x87, ticket: '7Q4XKM' });
    expect(JSON.stringify(refusal) + String(refusal)).not.toContain(ME.token);
  });

  it('rejects a publish that the server refuses, and stays connected', async () => {
    const { port, ca } = await serve((packet, peer) => {
      if (packet.cmd === 'connect') peer.send(connack(0));
      if (packet.cmd === 'publish' && packet.messageId) {
        peer.send({
          cmd: 'puback',
          messageId: packet.messageId,
          reasonCode: 0x87,
          properties: { reasonString: 'ticket 7Q4XKM' },
        });
      }
    });
    const device = await connected(port, ca);
    await expect(device.publishEvent('status', 1)).rejects.toMatchObject({ code: 'publish_refused', ticket: '7Q4XKM' });
  });

  it('does not trust a server of another root', async () => {
    const { port } = await serve(polite());
    const stranger = await createRootAuthority({ commonName: 'Other', now: Date.now(), validity: 3_600_000 });
    const failure = connectDevice({ ...ME, port, ca: stranger.pem });
    await expect(failure).rejects.toMatchObject({ code: 'server_not_trusted' });
  });

  it('does not trust a server under another name than in its certificate', async () => {
    const { port, ca } = await serve(polite());
    await expect(connectDevice({ ...ME, host: '127.0.0.1', port, ca })).rejects.toMatchObject({
      code: expect.stringMatching(/server_not_trusted|server_unreachable/),
    });
  });

  it('says that nothing listens', async () => {
    const server = await scriptedServer(polite());
    await server.close();
    await expect(connectDevice({ ...ME, port: server.port, ca: server.ca })).rejects.toMatchObject({
      code: 'server_unreachable',
    });
  });

  it('comes back after a break and subscribes again', async () => {
    let subscriptions = 0;
    const { port, ca } = await serve(
      polite((packet, peer, connection) => {
        if (packet.cmd !== 'subscribe') return;
        subscriptions += 1;
        if (connection === 1) peer.drop();
      }),
    );
    const device = await connected(port, ca);
    const online = new Promise<void>((resolve) => device.on('online', () => resolve()));
    await device.onCommand('+', () => {}).catch(() => {});
    await online;
    expect(subscriptions).toBeGreaterThanOrEqual(1);
    await device.publishEvent('status', 1);
  });

  it('does not try a refused credential again', async () => {
    const server = await serve((packet, peer, connection) => {
      if (packet.cmd === 'connect') peer.send(connection === 1 ? connack(0) : connack(0x87, 'ticket 7Q4XKM'));
      if (packet.cmd === 'publish') peer.drop();
    });
    const device = await connected(server.port, server.ca);
    device.publishEvent('status', 1, { qos: 0 }).catch(() => {});
    expect(await device.closed).toMatchObject({ code: 'connection_refused', ticket: '7Q4XKM' });
    expect(server.connections()).toBe(2);
  });

  it('tries again when the server only says "later"', async () => {
    const server = await serve((packet, peer, connection) => {
      if (packet.cmd === 'connect') peer.send(connection === 2 ? connack(0x89) : connack(0));
      if (packet.cmd === 'publish' && connection === 1) peer.drop();
    });
    const device = await connected(server.port, server.ca);
    const online = new Promise<void>((resolve) => device.on('online', () => resolve()));
    device.publishEvent('status', 1, { qos: 0 }).catch(() => {});
    await online;
    expect(server.connections()).toBe(3);
  });

  it('leaves the field to a newer client with the same client id', async () => {
    const server = await serve((packet, peer) => {
      if (packet.cmd === 'connect') peer.send(connack(0));
      if (packet.cmd === 'publish') {
        peer.send({ cmd: 'disconnect', reasonCode: 0x8e });
        peer.drop();
      }
    });
    const device = await connected(server.port, server.ca);
    device.publishEvent('status', 1, { qos: 0 }).catch(() => {});
    expect(await device.closed).toMatchObject({
      code: 'connection_lost',
      message: expect.stringContaining('same client id'),
    });
    expect(server.connections()).toBe(1);
  });

  it('bounds what waits for a server that never acknowledges, and can still be closed', async () => {
    const { port, ca } = await serve((packet, peer) => {
      if (packet.cmd === 'connect') peer.send(connack(0));
    });
    const device = await connectDevice({ ...ME, port, ca, maximumPending: 2, backoff: BACKOFF });
    device.publishEvent('status', 1).catch(() => {});
    device.publishEvent('status', 2).catch(() => {});
    await expect(device.publishEvent('status', 3)).rejects.toThrow(Failure);
    await device.close();
  });

  it('ends with nothing to report when it is closed', async () => {
    const { port, ca } = await serve(polite());
    const device = await connectDevice({ ...ME, port, ca });
    await device.close();
    expect(await device.closed).toBeUndefined();
  });
});
