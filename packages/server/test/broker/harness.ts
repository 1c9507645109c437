import {
  filterCovers,
  type Principal,
  REASONS,
  type Refusal,
  type RefusalReason,
  topicMatches,
} from '@sallyport/model';
import {
  type ConnAck,
  type Connect,
  Decoder,
  encode,
  type Packet,
  type PacketType,
  type ProtocolVersion,
  type Publish,
  publishFromFrame,
  type Subscribe,
} from '@sallyport/mqtt';
import type { Admission, Arrival, ArrivalVerdict, Rights, Standing } from '../../src/broker/arrival.ts';
import { Broker } from '../../src/broker/broker.ts';
import type { ByteReceiver, ByteStream } from '../../src/broker/byte-stream.ts';
import { type BrokerCounters, newCounters } from '../../src/broker/counters.ts';
import { type BrokerLimits, DEFAULT_LIMITS } from '../../src/broker/limits.ts';
import type { SessionStore } from '../../src/broker/session-store.ts';
import type { WorkerLinks } from '../../src/broker/workers.ts';
import type { EventOf, ServerEvent, ServerEventType } from '../../src/events/events.ts';
import { EventStream } from '../../src/events/stream.ts';
import type { TransportFacts } from '../../src/events/transport-facts.ts';

export const FACTS: TransportFacts = {
  listener: 'test',
  transport: 'tls',
  secure: true,
  remoteAddress: '192.0.2.1',
  remotePort: 50_000,
  localPort: 8883,
};

/** Filters that a principal may use; an empty list permits nothing. */
export interface Permitted {
  publish: string[];
  subscribe: string[];
  receive: string[];
}

export interface StageOptions {
  readonly limits?: Partial<BrokerLimits>;
  /** What outlives the broker. */
  readonly store?: SessionStore;
  /** The other workers. */
  readonly workers?: WorkerLinks;
  /** Replaces the doors. */
  readonly arrive?: (arrival: Arrival) => ArrivalVerdict | Promise<ArrivalVerdict>;
}

/** A broker with doors, clock and ticks that the test holds in its hands. */
export class Stage {
  time = 1_700_000_000_000;
  readonly events = new EventStream();
  readonly heard: ServerEvent[] = [];
  readonly counters: BrokerCounters = newCounters();
  readonly limits: BrokerLimits;
  readonly broker: Broker;
  /** By the organisation; everything where nothing is set. */
  readonly permitted = new Map<string, Permitted>();
  rightsVersion = 1;
  standing: (principal: Principal) => Standing | Promise<Standing> = () => 'stands';
  readonly refusals: Refusal[] = [];
  #tick: () => void = () => {};

  constructor(options: StageOptions = {}) {
    this.limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.events.on('*', (event) => this.heard.push(event));
    this.broker = new Broker({
      now: () => this.time,
      random: (size) => crypto.getRandomValues(new Uint8Array(size)),
      events: this.events,
      limits: this.limits,
      ...(options.store === undefined ? {} : { store: options.store }),
      ...(options.workers === undefined ? {} : { workers: options.workers }),
      counters: this.counters,
      arrive: options.arrive ?? ((arrival) => this.admit(arrival)),
      regrounds: (grounds) => this.standing(grounds.principal),
      refuse: (refusal) => this.refuse(refusal),
      ticker: (tick) => {
        this.#tick = tick;
        return () => {};
      },
    });
  }

  /** Brings back what the store holds, as a server does at its start. */
  async restore(): Promise<void> {
    await this.broker.restore(({ grounds, clientId, watson }) => this.admission(grounds.principal, clientId, watson));
  }

  refuse(refusal: Omit<Refusal, 'ticket' | 'at' | 'lastAt' | 'count'>): Refusal {
    const at = new Date(this.time).toISOString();
    const made = { ...refusal, ticket: `T${String(this.refusals.length).padStart(5, '0')}`, at, lastAt: at, count: 1 };
    this.refusals.push(made);
    return made;
  }

  /** Lets time pass in ticks of half a second. */
  async pass(seconds: number): Promise<void> {
    for (let tick = 0; tick < seconds * 2; tick++) {
      this.time += 500;
      this.#tick();
    }
    await settled();
  }

  /** Watson-style ids are who they say; the user name of others is `ORGANISATION/APPLICATION`. */
  admit({ evidence }: Arrival): ArrivalVerdict {
    const { clientId, username = 'demo/lab' } = evidence;
    if (username === 'nobody') return this.refused('wrong_secret');
    const [organisation = '', id = ''] = username.split('/');
    let principal: Principal = { kind: 'application', organisation, id };
    if (clientId.kind === 'device' || clientId.kind === 'gateway') {
      principal = { kind: clientId.kind, organisation: clientId.organisation, type: clientId.type, id: clientId.id };
    } else if (clientId.kind === 'application') {
      principal = { kind: 'application', organisation: clientId.organisation, id: clientId.id };
    }
    return { outcome: 'admitted', session: this.admission(principal, clientId.text, clientId.kind !== 'plain') };
  }

  admission(principal: Principal, clientId: string, watson: boolean): Admission {
    if (principal.kind === 'operator') throw new TypeError('an operator does not connect');
    return {
      organisation: principal.organisation,
      principal,
      grounds: { principal, credential: `credential of ${principal.id}`, credentialKind: 'token', roles: [] },
      clientId,
      scoped: watson && principal.kind !== 'application',
      watson,
      rights: this.rights(principal.organisation, clientId),
      assurance: 'full',
    };
  }

  rights(organisation: string, clientId: string): Rights {
    const stage = this;
    return {
      get version() {
        return stage.rightsVersion;
      },
      permits(action, resource) {
        // What a client may call itself is a matter of the doors, which these tests replace.
        if (action === 'connect') return true;
        const permitted = stage.permitted.get(organisation)?.[action];
        if (permitted === undefined) return true;
        return permitted.some((filter) =>
          action === 'subscribe' ? filterCovers(filter, resource) : topicMatches(filter, resource),
        );
      },
      refuse(action, resource, steps = []) {
        const reason: RefusalReason = steps.some(({ stage }) => stage === 'limits')
          ? 'quota_exceeded'
          : 'topic_not_permitted';
        return stage.refuse({
          action,
          reason,
          reasonCode: REASONS[reason].reasonCode,
          organisation,
          clientId,
          resource,
          steps,
          cure: '',
        });
      },
    };
  }

  refused(reason: RefusalReason): ArrivalVerdict {
    const refusal = this.refuse({
      action: 'connect',
      reason,
      reasonCode: REASONS[reason].reasonCode,
      steps: [],
      cure: '',
    });
    return { outcome: 'refused', reason, refusal };
  }

  of<T extends ServerEventType>(type: T): EventOf<T>[] {
    return this.heard.filter((event): event is EventOf<T> => event.type === type);
  }

  /** A stream to the broker, before any packet. */
  dial(version: ProtocolVersion = 5, facts: Partial<TransportFacts> = {}): Client {
    return new Client(this.broker, version, { ...FACTS, ...facts });
  }

  /** A client that has connected; the CONNACK is in `client.welcome`. */
  async connect(clientId: string, options: ConnectOptions = {}): Promise<Client> {
    const client = this.dial(options.protocolVersion ?? 5);
    client.connect(clientId, options);
    // Where there are several workers, they speak with each other first.
    for (let round = 0; round < 20 && client.packets.length === 0 && !client.ended; round++) await settled();
    client.welcome = client.expect('connack');
    return client;
  }
}

export type ConnectOptions = Partial<Omit<Connect, 'type' | 'clientId'>>;

/** Several turns of the event loop: everything that the broker does at once has been done. */
export async function settled(turns = 6): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}

/** The far end of an in-memory stream: speaks packets, or raw bytes. */
export class Client implements ByteStream {
  welcome!: ConnAck;
  /** Everything that came and was not taken yet. */
  packets: Packet[] = [];
  /** The broker has closed the connection. */
  ended = false;
  /** True: the peer reads nothing. */
  stalled = false;
  paused = false;
  bufferedBytes = 0;
  readonly version: ProtocolVersion;
  readonly #decoder: Decoder;
  #receiver: ByteReceiver | undefined;
  #held: Buffer[] = [];
  #closed = false;

  constructor(broker: Broker, version: ProtocolVersion, facts: TransportFacts) {
    this.version = version;
    this.#decoder = new Decoder({ maximumPacketSize: 268_435_455, from: 'server', version });
    broker.accept(this, facts);
  }

  // What the broker sees

  attach(receiver: ByteReceiver): void {
    this.#receiver = receiver;
  }
  write(bytes: Uint8Array): boolean {
    const copy = Buffer.from(bytes);
    if (this.stalled) {
      this.#held.push(copy);
      this.bufferedBytes += copy.length;
      return false;
    }
    this.#deliver(copy);
    return true;
  }
  end(): void {
    this.ended = true;
    if (!this.stalled) setImmediate(() => this.#close());
  }
  part(): void {
    this.end();
  }
  destroy(): void {
    this.ended = true;
    this.#held = [];
    setImmediate(() => this.#close());
  }
  pause(): void {
    this.paused = true;
  }
  resume(): void {
    this.paused = false;
  }

  // What the test does

  connect(clientId: string, options: ConnectOptions = {}): void {
    this.send({
      type: 'connect',
      protocolVersion: this.version,
      cleanStart: true,
      keepAlive: 0,
      clientId,
      ...options,
    });
  }
  send(...packets: Packet[]): void {
    this.raw(Buffer.concat(packets.map((packet) => encode(packet, this.version))));
  }
  raw(bytes: Uint8Array): void {
    if (!this.#closed) this.#receiver?.data(Buffer.from(bytes));
  }
  publish(topic: string, payload: string, options: Partial<Omit<Publish, 'type' | 'topic' | 'payload'>> = {}): void {
    const { qos = 0, packetId = 1, ...rest } = options;
    const packet = { type: 'publish', topic, payload: Buffer.from(payload), qos, retain: false, dup: false, ...rest };
    this.send({ ...packet, ...(qos > 0 ? { packetId } : {}) } as Publish);
  }
  subscribe(filter: string, options: Partial<Subscribe['subscriptions'][number]> = {}, identifier?: number): void {
    this.send({
      type: 'subscribe',
      packetId: 1,
      subscriptions: [{ filter, qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0, ...options }],
      ...(identifier === undefined ? {} : { properties: { subscriptionIdentifiers: [identifier] } }),
    });
  }
  async subscribed(filter: string, options: Partial<Subscribe['subscriptions'][number]> = {}): Promise<number> {
    this.subscribe(filter, options);
    await settled();
    return this.expect('suback').reasonCodes[0]!;
  }
  ack(type: 'puback' | 'pubrec' | 'pubrel' | 'pubcomp', packetId: number, reasonCode = 0): void {
    this.send({ type, packetId, reasonCode });
  }
  /** The connection breaks, without DISCONNECT. */
  async vanish(): Promise<void> {
    this.#close();
    await settled();
  }
  /** The peer reads again. */
  async recover(): Promise<void> {
    this.stalled = false;
    const held = this.#held;
    this.#held = [];
    this.bufferedBytes = 0;
    for (const bytes of held) this.#deliver(bytes);
    if (this.ended) this.#close();
    else this.#receiver?.drain();
    await settled();
  }
  /** Takes the first packet that waits and fails if it is of another type. */
  expect<T extends PacketType>(type: T): Extract<Packet, { type: T }> {
    const packet = this.packets.shift();
    if (packet?.type !== type) throw new Error(`expected ${type}, got ${JSON.stringify(packet)}`);
    return packet as Extract<Packet, { type: T }>;
  }
  /** Takes all messages that have come: `topic payload`. */
  messages(): string[] {
    const found = this.packets.filter((packet): packet is Publish => packet.type === 'publish');
    this.packets = this.packets.filter((packet) => packet.type !== 'publish');
    return found.map(({ topic, payload }) => `${topic} ${Buffer.from(payload).toString()}`);
  }

  #deliver(bytes: Buffer): void {
    const failure = this.#decoder.push(bytes, {
      publish: (frame) => this.packets.push(publishFromFrame(frame)),
      packet: (packet) => this.packets.push(packet),
    });
    if (failure) throw new Error(`the broker sent bytes that are not MQTT: ${JSON.stringify(failure)}`);
  }
  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.ended = true;
    this.#receiver?.closed();
  }
}
