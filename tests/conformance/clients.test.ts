import { topicMatches } from '@sallyport/model';
import fc from 'fast-check';
import { connect as dial, type IClientOptions, type IPublishPacket, type MqttClient } from 'mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { identity } from '../attacks/raw-client.ts';
import type { TestServer } from '../server.ts';
import { laboratory } from './laboratory.ts';

let server: TestServer;
beforeAll(async () => {
  server = await laboratory();
});
afterAll(() => server.close());

type Level = 4 | 5;

/** Not connected yet, so that nothing comes before somebody listens. */
function begin(transport: 'plain' | 'TLS', level: Level, options: Partial<IClientOptions> = {}): MqttClient {
  const { username = '', password = Buffer.alloc(0) } = identity(server, 'lab');
  const url = transport === 'plain' ? `mqtt://localhost:${server.plainPort}` : `mqtts://localhost:${server.port}`;
  return dial(url, {
    protocolVersion: level,
    username,
    password: Buffer.from(password),
    ca: server.rootPem,
    reconnectPeriod: 0,
    clientId: '',
    ...options,
  });
}

async function connect(...how: Parameters<typeof begin>): Promise<MqttClient> {
  const client = begin(...how);
  await new Promise<void>((resolve, reject) => {
    client.once('connect', () => resolve());
    client.once('error', reject);
  });
  return client;
}

/** Hears messages as `topic payload qos`, until the one that says it is the last. */
function hear(client: MqttClient): { untilLast: (speaker: MqttClient) => Promise<string[]> } {
  let heard: string[] = [];
  let last: () => void = () => {};
  client.on('message', (topic, payload, { qos, dup }: IPublishPacket) => {
    if (topic === 'last') last();
    else heard.push(`${topic} ${payload} ${qos}${dup ? ' dup' : ''}`);
  });
  return {
    /** The last one comes from who spoke before: between two clients there is no order. */
    async untilLast(speaker) {
      await new Promise<void>((resolve) => {
        last = resolve;
        speaker.publish('last', '', { qos: 2 });
      });
      const found = heard;
      heard = [];
      return found;
    },
  };
}

const level = fc.constantFrom('a', 'b', '', 'é', 'A');
const topic = fc
  .array(level, { minLength: 1, maxLength: 4 })
  .map((levels) => levels.join('/'))
  .filter((text) => text !== '');
const filter = fc
  .tuple(fc.array(fc.oneof(level, fc.constant('+')), { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([levels, all]) => (all ? [...levels, '#'] : levels).join('/'))
  .filter((text) => text !== '');
const qos = fc.constantFrom(0, 1, 2) as fc.Arbitrary<0 | 1 | 2>;

describe.each([
  ['plain', 4],
  ['plain', 5],
  ['TLS', 4],
  ['TLS', 5],
] as const)('mqtt.js on %s, level %i, with an empty client id', (transport, protocol) => {
  it('hears of any conversation what its subscriptions match, once, at the lower QoS, in order', async () => {
    const listener = await connect(transport, protocol);
    const speaker = await connect(transport, protocol);
    const ear = hear(listener);
    await listener.subscribeAsync('last', { qos: 2 });
    const conversation = fc.record({
      subscriptions: fc.uniqueArray(fc.tuple(filter, qos), { maxLength: 5, selector: ([text]) => text }),
      messages: fc.array(fc.tuple(topic, qos), { maxLength: 12 }),
    });
    await fc.assert(
      fc.asyncProperty(conversation, async ({ subscriptions, messages }) => {
        for (const [text, granted] of subscriptions) await listener.subscribeAsync(text, { qos: granted });
        const expected: string[] = [];
        for (const [index, [name, sent]] of messages.entries()) {
          await speaker.publishAsync(name, String(index), { qos: sent });
          const matching = subscriptions.filter(([text]) => topicMatches(text as never, name as never));
          if (matching.length === 0) continue;
          const granted = Math.max(...matching.map(([, most]) => most));
          expected.push(`${name} ${index} ${Math.min(granted, sent)}`);
        }
        const heard = await ear.untilLast(speaker);
        expect([...heard].sort()).toEqual([...expected].sort());
        for (const one of [0, 1, 2]) {
          const ofQos = (lines: readonly string[]) => lines.filter((line) => line.endsWith(` ${one}`));
          expect(ofQos(heard)).toEqual(ofQos(expected));
        }
        for (const [text] of subscriptions) await listener.unsubscribeAsync(text);
      }),
      { numRuns: 15, endOnFailure: true },
    );
    await Promise.all([listener.endAsync(), speaker.endAsync()]);
  });

  it('finds after an absence what has come meanwhile', async () => {
    const kept: Partial<IClientOptions> = {
      clientId: `absent-${transport}-${protocol}`,
      clean: false,
      ...(protocol === 5 ? { properties: { sessionExpiryInterval: 600 } } : {}),
    };
    const first = await connect(transport, protocol, kept);
    await first.subscribeAsync('absence/+', { qos: 2 });
    await first.subscribeAsync('last', { qos: 2 });
    await first.endAsync();
    const speaker = await connect(transport, protocol);
    for (const [index, sent] of ([0, 1, 2] as const).entries()) {
      await speaker.publishAsync(`absence/${index}`, 'x', { qos: sent });
    }
    const again = begin(transport, protocol, kept);
    const ear = hear(again);
    expect((await ear.untilLast(speaker)).sort()).toEqual(['absence/1 x 1', 'absence/2 x 2']);
    await again.endAsync();
    await speaker.endAsync();
  });
});

describe('mqtt.js, level 5', () => {
  it('asks and answers: response topic, correlation data and user properties arrive', async () => {
    const asker = await connect('TLS', 5);
    const answerer = await connect('TLS', 5);
    await answerer.subscribeAsync('questions', { qos: 1 });
    answerer.on('message', (_, payload, { properties }) => {
      answerer.publish(properties!.responseTopic!, `re: ${payload}`, {
        properties: { correlationData: properties!.correlationData!, userProperties: { from: 'answerer' } },
      });
    });
    await asker.subscribeAsync('answers/asker');
    const answer = new Promise<IPublishPacket>((resolve) => asker.once('message', (_t, _p, packet) => resolve(packet)));
    await asker.publishAsync('questions', 'how?', {
      qos: 1,
      properties: { responseTopic: 'answers/asker', correlationData: Buffer.from('17') },
    });
    const { payload, properties } = await answer;
    expect(String(payload)).toBe('re: how?');
    expect(String(properties?.correlationData)).toBe('17');
    expect({ ...properties?.userProperties }).toEqual({ from: 'answerer' });
    await Promise.all([asker.endAsync(), answerer.endAsync()]);
  });

  it('shortens names in both directions', async () => {
    const listener = await connect('plain', 5, { properties: { topicAliasMaximum: 3 } });
    const speaker = await connect('plain', 5, { autoAssignTopicAlias: true });
    const ear = hear(listener);
    await listener.subscribeAsync(['names/#', 'last'], { qos: 1 });
    const expected: string[] = [];
    for (let round = 0; round < 20; round++) {
      const name = `names/${round % 5}`;
      await speaker.publishAsync(name, String(round), { qos: 1 });
      expected.push(`${name} ${round} 1`);
    }
    expect(await ear.untilLast(speaker)).toEqual(expected);
    await Promise.all([listener.endAsync(), speaker.endAsync()]);
  });
});

describe('scalable applications without instance names', () => {
  const instance = (clean: boolean) => connect('plain', 4, { clientId: 'A:demo:lab', clean });

  it('share what comes, and one that keeps its session finds it again', async () => {
    const first = await instance(false);
    const second = await instance(true);
    for (const member of [first, second]) await member.subscribeAsync('scaled/#', { qos: 1 });
    const heard: string[] = [];
    for (const member of [first, second]) member.on('message', (_, payload) => heard.push(String(payload)));
    const speaker = await connect('plain', 4);
    for (let job = 0; job < 10; job++) await speaker.publishAsync('scaled/a', String(job), { qos: 1 });
    await expect.poll(() => heard.length).toBe(10);
    expect(new Set(heard).size).toBe(10);
    await Promise.all([first.endAsync(), second.endAsync()]);
    await speaker.publishAsync('scaled/a', 'waited', { qos: 1 });
    const back = begin('plain', 4, { clientId: 'A:demo:lab', clean: false });
    const waited = await new Promise<string>((resolve) =>
      back.once('message', (_, payload) => resolve(String(payload))),
    );
    expect(waited).toBe('waited');
    await back.endAsync();
    await speaker.endAsync();
  });
});
