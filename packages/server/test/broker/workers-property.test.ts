import fc from 'fast-check';
import { expect, it } from 'vitest';
import { MemorySessionStore } from '../../src/broker/memory-session-store.ts';
import { Crew, SharedStore } from './crew.ts';
import { type Client, type ConnectOptions, Stage, settled } from './harness.ts';

const CLIENTS = ['a', 'b', 'c'] as const;
const MEMBERS = ['m', 'n', 'o'] as const;
const TOPICS = ['t/1', 't/2', 't/1/x', '$t/1', 'w/a'];
const FILTERS = ['t/1', 't/+', 't/#', '#', '+/1', 'w/#', '$t/1'];

type Step =
  | {
      readonly do: 'subscribe';
      readonly who: number;
      readonly filter: number;
      readonly qos: 0 | 1 | 2;
      readonly noLocal: boolean;
      readonly rap: boolean;
    }
  | { readonly do: 'unsubscribe'; readonly who: number; readonly filter: number }
  | {
      readonly do: 'publish';
      readonly who: number;
      readonly topic: number;
      readonly qos: 0 | 1 | 2;
      readonly retain: boolean;
      readonly empty: boolean;
    }
  | { readonly do: 'vanish'; readonly who: number; readonly member: boolean }
  | {
      readonly do: 'connect';
      readonly who: number;
      readonly worker: number;
      readonly member: boolean;
      readonly clean: boolean;
    }
  | { readonly do: 'join'; readonly who: number };

const small = (most: number) => fc.integer({ min: 0, max: most });
const qos = fc.constantFrom<0 | 1 | 2>(0, 1, 2);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('subscribe' as const),
      who: small(2),
      filter: small(FILTERS.length - 1),
      qos,
      noLocal: fc.boolean(),
      rap: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('unsubscribe' as const), who: small(2), filter: small(FILTERS.length - 1) }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('publish' as const),
      who: small(2),
      topic: small(TOPICS.length - 1),
      qos,
      retain: fc.boolean(),
      empty: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('vanish' as const), who: small(2), member: fc.boolean() }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('connect' as const),
      who: small(2),
      worker: small(2),
      member: fc.boolean(),
      clean: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('join' as const), who: small(2) }) },
);

/** A server of one worker or of several, with clients that acknowledge what they get. */
class World {
  readonly heard = new Map<string, string[]>();
  readonly #clients = new Map<string, Client>();
  readonly #stageOf: (worker: number) => Stage;
  #packetId = 0;

  constructor(stageOf: (worker: number) => Stage) {
    this.#stageOf = stageOf;
  }

  async connect(name: string, worker: number, clean: boolean): Promise<void> {
    const options: ConnectOptions = {
      cleanStart: clean,
      properties: { sessionExpiryInterval: 1000 },
      will: { topic: `w/${name}`, payload: Buffer.from(`will of ${name}`), qos: 1, retain: false },
    };
    const client = this.#stageOf(worker).dial();
    client.connect(name, options);
    this.#note(name, '-- connects');
    await this.#rest();
    this.#clients.set(name, client);
    await this.#rest();
  }

  async run(now: Step): Promise<void> {
    const name = ('member' in now && now.member) || now.do === 'join' ? MEMBERS[now.who]! : CLIENTS[now.who]!;
    if (now.do === 'connect') {
      await this.connect(name, now.worker, now.clean);
      return;
    }
    const client = this.#clients.get(name)!;
    if (client.ended) return;
    switch (now.do) {
      case 'subscribe':
        client.subscribe(FILTERS[now.filter]!, { qos: now.qos, noLocal: now.noLocal, retainAsPublished: now.rap });
        break;
      case 'join':
        client.subscribe('$share/g/t/#', { qos: 1 });
        break;
      case 'unsubscribe':
        client.send({ type: 'unsubscribe', packetId: 1, filters: [FILTERS[now.filter]!] });
        break;
      case 'publish': {
        const packetId = ++this.#packetId;
        const payload = now.empty ? '' : `p${packetId}`;
        client.publish(TOPICS[now.topic]!, payload, { qos: now.qos, retain: now.retain, packetId });
        break;
      }
      case 'vanish':
        await client.vanish();
        break;
    }
    await this.#rest();
  }

  async #rest(): Promise<void> {
    for (let round = 0; round < 3; round++) {
      await settled(8);
      for (const [name, client] of this.#clients) {
        for (const packet of client.packets.splice(0)) {
          if (packet.type === 'publish') {
            const { topic, payload, qos, retain, dup } = packet;
            const isMember = MEMBERS.some((member) => member === name);
            this.#note(
              isMember ? 'group' : name,
              `${topic} ${String(payload)} ${qos}${retain ? ' retained' : ''}${dup ? ' dup' : ''}`,
            );
            if (qos === 1) client.ack('puback', packet.packetId!);
            else if (qos === 2) client.ack('pubrec', packet.packetId!);
          } else if (packet.type === 'pubrel') client.ack('pubcomp', packet.packetId);
          else if (packet.type === 'pubrec') {
            this.#note(name, `pubrec ${packet.reasonCode}`);
            if (packet.reasonCode < 0x80) client.ack('pubrel', packet.packetId);
          } else if (packet.type === 'connack') this.#note(name, `connack ${packet.sessionPresent}`);
          else if ('reasonCode' in packet) this.#note(name, `${packet.type} ${packet.reasonCode}`);
          else if (packet.type === 'suback') this.#note(name, `suback ${packet.reasonCodes.join()}`);
        }
      }
    }
  }

  #note(name: string, text: string): void {
    const list = this.heard.get(name) ?? [];
    list.push(text);
    this.heard.set(name, list);
  }
}

async function play(world: World, steps: readonly Step[]): Promise<Record<string, string[]>> {
  for (const [index, name] of CLIENTS.entries()) await world.connect(name, index, false);
  for (const [index, name] of MEMBERS.entries()) await world.connect(name, 2 - index, false);
  for (const one of steps) await world.run(one);
  // Who is away comes for what waits.
  for (const [index, name] of [...CLIENTS, ...MEMBERS].entries()) await world.connect(name, (index + 1) % 3, false);
  const heard = Object.fromEntries(world.heard);
  // Which member got it is nobody's business.
  for (const name of ['group', ...MEMBERS]) heard[name]?.sort();
  return heard;
}

it('several workers answer and deliver exactly what one does', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 14 }), async (steps) => {
      // Takeovers are paced; here is no time to wait.
      const limits = { takeoverRate: Number.POSITIVE_INFINITY, connectRate: Number.POSITIVE_INFINITY };
      const one = new Stage({ limits, store: new MemorySessionStore() });
      const store = new SharedStore();
      const crew = await Crew.of(3, () => ({ limits, store: store.view() }));
      const alone = await play(new World(() => one), steps);
      const together = await play(new World((worker) => crew.stages[worker]!), steps);
      expect(together).toEqual(alone);
      for (const stage of crew.stages) expect(stage.of('defect')).toEqual([]);
      expect(crew.lost).toEqual([]);
      const sum = (name: 'sessionsNow' | 'subscriptionsNow' | 'queuedNow') =>
        crew.stages.reduce((total, { counters }) => total + counters[name], 0);
      for (const name of ['sessionsNow', 'subscriptionsNow', 'queuedNow'] as const) {
        expect([name, sum(name)]).toEqual([name, one.counters[name]]);
      }
      await crew.close();
    }),
    { numRuns: 60 },
  );
});
