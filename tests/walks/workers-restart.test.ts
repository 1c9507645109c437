import { expect, it } from 'vitest';
import { identity, LABORATORY, type Login, RawClient } from '../attacks/raw-client.ts';
import { type TestServer, testServer } from '../server.ts';
import { startedAgain } from '../started-again.ts';

const PATIENCE = { timeout: 60_000 };
const KEPT: Login = { cleanStart: false, properties: { sessionExpiryInterval: 3600 } };
/** Seconds: it is due while the server is restarted, or soon after. */
const WILL_DELAY = 2;
const WILL = {
  topic: 'k/will',
  payload: Buffer.from('gone'),
  qos: 1,
  retain: false,
  properties: { willDelayInterval: WILL_DELAY },
} as const;

const SETTINGS = {
  'limits.maximumTakeoverRate': 1000,
  'limits.applications.maximumConnectRate': 1000,
} as const;

/** Stops a server, and starts one with other worker processes on what it has left. */
function restarted(before: TestServer, workers: number): Promise<TestServer> {
  return startedAgain(before, { workers, ...SETTINGS });
}

/** A session of the laboratory that is kept, and whether it was there. */
async function come(server: TestServer, clientId: string, more: Login = {}) {
  const client = await RawClient.dial(server);
  const welcome = await client.connect({ ...identity(server, 'lab'), ...KEPT, ...more, clientId });
  expect(welcome.reasonCode).toBe(0);
  return { client, present: welcome.sessionPresent };
}

async function send(server: TestServer, topic: string, payloads: readonly string[], more: { retain?: boolean } = {}) {
  const sender = await RawClient.open(server, 'lab', { clientId: 'sender' });
  for (const [index, payload] of payloads.entries()) {
    sender.publish(topic, payload, { qos: 1, packetId: index + 1, ...more });
    expect((await sender.take('puback')).reasonCode).toBeLessThan(0x80);
  }
  await sender.vanish();
}

/** The next messages, not acknowledged. */
async function next(client: RawClient, count: number) {
  const found: { text: string; dup: boolean; packetId: number; qos: number }[] = [];
  while (found.length < count) {
    const { payload, dup, packetId = 0, qos } = await client.take('publish');
    found.push({ text: Buffer.from(payload).toString(), dup, packetId, qos });
  }
  return found;
}

it('a restart with another number of workers keeps sessions with all that is in them', {
  timeout: 300_000,
}, async () => {
  let server = await testServer({ workers: 1, ...SETTINGS });
  try {
    await server.api.policies.put('demo', LABORATORY);
    await send(server, 'r/1', ['retained'], { retain: true });

    // One process: two messages on their way, one of them half acknowledged; one that was half sent; two that wait.
    let { client } = await come(server, 'keeper');
    expect(await client.subscribe('k/#', { qos: 2 })).toBe(2);
    const sender = await RawClient.open(server, 'lab', { clientId: 'sender' });
    sender.publish('k/1', 'one', { qos: 1, packetId: 1 });
    sender.publish('k/2', 'two', { qos: 2, packetId: 2 });
    const [one, two] = await next(client, 2);
    expect([one?.text, two?.text]).toEqual(['one', 'two']);
    client.send({ type: 'pubrec', packetId: two?.packetId ?? 0, reasonCode: 0 });
    expect((await client.take('pubrel')).packetId).toBe(two?.packetId);
    client.publish('mine', 'once', { qos: 2, packetId: 77 });
    expect((await client.take('pubrec')).packetId).toBe(77);
    await client.vanish();
    await sender.vanish();
    for (const member of ['first', 'second']) {
      const { client: joining } = await come(server, member);
      expect(await joining.subscribe('$share/g/s/#', { qos: 1 })).toBe(1);
      await joining.vanish();
    }
    await send(server, 'k/3', ['three', 'four']);
    await send(server, 's/1', ['s1', 's2', 's3', 's4']);

    for (const workers of [3, 2]) {
      server = await restarted(server, workers);
      await send(server, 'k/3', [`with ${workers}`]);
      await send(server, 's/1', [`s1 with ${workers}`, `s2 with ${workers}`]);
      const back = await come(server, 'keeper');
      expect(back.present).toBe(true);
      ({ client } = back);
      const waiting = workers === 3 ? ['with 3'] : ['with 3', 'with 2'];
      const again = await next(client, 3 + waiting.length);
      expect(again.map(({ text }) => text)).toEqual(['one', 'three', 'four', ...waiting]);
      expect(again[0]).toMatchObject({ dup: true, packetId: one?.packetId, qos: 1 });
      expect((await client.take('pubrel')).packetId).toBe(two?.packetId);
      // Sent again, because no PUBCOMP came: it counts once.
      client.publish('mine', 'once', { qos: 2, packetId: 77, dup: true });
      expect((await client.take('pubrec')).packetId).toBe(77);
      await client.vanish();
      const { client: willing } = await come(server, `willing-${workers}`, { will: WILL });
      await willing.vanish();
    }

    server = await restarted(server, 1);
    const last = await come(server, 'keeper');
    expect(last.present).toBe(true);
    const heard: string[] = [];
    const taken = async (): Promise<number> => {
      for (const { payload, packetId = 0, qos } of await everything(last.client)) {
        heard.push(Buffer.from(payload).toString());
        expect(qos).toBe(1);
        last.client.send({ type: 'puback', packetId, reasonCode: 0 });
      }
      return heard.filter((text) => text === 'gone').length;
    };
    await expect.poll(taken, PATIENCE).toBe(2);
    expect(heard.toSorted()).toEqual(['four', 'gone', 'gone', 'one', 'three', 'with 2', 'with 3']);
    expect((await last.client.take('pubrel')).packetId).toBe(two?.packetId);
    last.client.send({ type: 'pubcomp', packetId: two?.packetId ?? 0, reasonCode: 0 });
    const witness = await come(server, 'witness');
    expect(await witness.client.subscribe('mine', { qos: 2 })).toBe(2);
    last.client.send({ type: 'pubrel', packetId: 77, reasonCode: 0 });
    expect(await last.client.take('pubcomp')).toMatchObject({ packetId: 77, reasonCode: 0 });
    expect(await witness.client.heard()).toEqual([]);

    const shared: string[] = [];
    for (const member of ['first', 'second']) {
      const { client: back, present } = await come(server, member);
      expect(present).toBe(true);
      shared.push(...(await back.heard()).map((text) => text.slice('s/1 '.length)));
    }
    const sent = ['s1', 's2', 's3', 's4', ...[3, 2].flatMap((count) => [`s1 with ${count}`, `s2 with ${count}`])];
    expect(shared.toSorted()).toEqual(sent.toSorted());
    expect(await witness.client.subscribe('r/#', { qos: 1 })).toBe(1);
    expect(await witness.client.heard()).toEqual(['r/1 retained']);
  } finally {
    await server.close();
  }
});

/** All messages that have come up to now. */
async function everything(client: RawClient) {
  await client.settled();
  const found = client.packets.filter((packet) => packet.type === 'publish');
  client.packets = client.packets.filter(({ type }) => type !== 'publish');
  return found;
}
