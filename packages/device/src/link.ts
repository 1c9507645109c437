import type { PeerCertificate, TLSSocket } from 'node:tls';
import { Failure, topicMatches } from '@sallyport/model';
// The library as a whole: what a browser gets of it has no exports by name.
import mqtt, { type IClientOptions, type IPublishPacket, type MqttClient } from 'mqtt';
import { abortable } from './abort.ts';
import { jitteredBackoff } from './backoff.ts';
import { Gate } from './gate.ts';
import { isTemporary, linkFailure, RefusedByServer, reasonCodeIn, refusalOf } from './link-failure.ts';
import type {
  Admission,
  ClientCertificate,
  LinkCredential,
  LinkEvents,
  LinkListener,
  LinkOptions,
} from './link-options.ts';
import { rootCertificate } from './root-certificate.ts';
import { pinsOf, unpinned } from './server-pin.ts';
import { within } from './within.ts';

/** Who gets the messages of a subscription. */
export type Receiver = (
  topic: string,
  payload: Uint8Array,
  properties: MessageProperties | undefined,
) => void | Promise<void>;

/** What MQTT 5 sends along with a message, for requests and their answers. */
export interface MessageProperties {
  readonly responseTopic?: string;
  readonly correlationData?: Uint8Array;
}

export interface LinkPublishOptions {
  readonly qos: 0 | 1 | 2;
  readonly properties?: MessageProperties;
  /** Gives up waiting; the message may still get to the server. */
  readonly signal?: AbortSignal;
}

interface Subscription {
  readonly filter: string;
  readonly qos: 0 | 1 | 2;
  readonly receive: Receiver | undefined;
  /** Of the admission, which subscribes again by itself. */
  readonly early?: boolean;
}

const SESSION_TAKEN_OVER = 0x8e;
const CLOSE_TIMEOUT = 2_000;
/** Milliseconds after which a connection counts as good. */
const STEADY = 10_000;

/** One connection to the server that mends itself, and the errors of everything below it in our own terms. */
export class Link {
  /** Resolves when the connection has ended for good: with nothing after `close()`, else with the reason. */
  readonly closed: Promise<Failure | undefined>;
  readonly #client: MqttClient;
  readonly #where: string;
  readonly #version: 4 | 5;
  readonly #maximumPending: number;
  readonly #subscriptions = new Map<number, Subscription>();
  readonly #listeners: { [T in keyof LinkEvents]: Set<LinkListener<T>> } = {
    online: new Set(),
    offline: new Set(),
    problem: new Set(),
  };
  readonly #admission: Admission | undefined;
  /** Shut from the break of a connection until the admission of the next; always open where there is none. */
  readonly #gate = new Gate();
  #connection = new AbortController();
  #pending = 0;
  readonly #idle: (() => void)[] = [];
  #resolveClosed: (failure: Failure | undefined) => void = () => {};

  private constructor(
    client: MqttClient,
    where: string,
    version: 4 | 5,
    maximumPending: number,
    admission: Admission | undefined,
  ) {
    this.#admission = admission;
    this.#client = client;
    this.#where = where;
    this.#version = version;
    this.#maximumPending = maximumPending;
    if (admission !== undefined) this.#gate.shut();
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  /**
   * Connects. The first attempt is the only one: it fails at once with what is wrong. Breaks after it are mended.
   *
   * @throws RefusedByServer `connection_refused`
   * @throws Failure `server_unreachable`, `server_not_trusted`, `key_material_invalid`
   */
  static async open(options: LinkOptions, credential: LinkCredential, admission?: Admission): Promise<Link> {
    options.signal?.throwIfAborted();
    const { host, websocket = false, protocolVersion = 5, keepAlive = 60, connectTimeout = 15_000 } = options;
    const port = options.port ?? (websocket ? 8443 : 8883);
    const backoff = jitteredBackoff(options.backoff);
    const settings: IClientOptions = {
      protocol: websocket ? 'wss' : 'mqtts',
      host,
      hostname: host,
      port,
      path: typeof websocket === 'string' ? websocket : '/mqtt',
      ...(options.ca === undefined ? {} : { ca: await rootCertificate(options.ca) }),
      rejectUnauthorized: true,
      protocolVersion,
      clean: true,
      keepalive: keepAlive,
      connectTimeout,
      reconnectPeriod: backoff.next(),
      queueQoSZero: false,
      // Else the library makes a worker of a text in a browser, which strict pages forbid.
      timerVariant: 'native',
      // What was subscribed comes again only after the admission.
      ...(admission === undefined ? {} : { resubscribe: false }),
      ...(options.certificate === undefined ? {} : certificateSettings(options.certificate)),
      ...(await pinSettings(options.serverPin)),
      ...credential,
    };
    const client = mqtt.connect(settings);
    if (options.onStage) watchStages(client, options.onStage);
    const link = new Link(client, `${host}:${port}`, protocolVersion, options.maximumPending ?? 1_000, admission);
    client.on('message', (topic, payload, packet) => link.#dispatch(topic, payload, packet));
    const { signal } = options;
    const stop = () => void link.close();
    signal?.addEventListener('abort', stop, { once: true });
    void link.closed.then(() => signal?.removeEventListener('abort', stop));
    await abortable(link.#firstConnection(), signal);
    link.#keepUp(
      () => backoff.next(),
      () => backoff.reset(),
    );
    if (admission !== undefined) {
      try {
        await abortable(link.#admit(), signal);
      } catch (failure) {
        await link.close();
        throw failure;
      }
    }
    return link;
  }

  on<T extends keyof LinkEvents>(event: T, listener: LinkListener<T>): void {
    this.#listeners[event].add(listener);
  }

  /**
   * Publishes; resolves when the server owns the message (QoS 1 and 2) or the socket took it (QoS 0).
   *
   * @throws RefusedByServer `publish_refused`
   * @throws Failure `queue_full`, `connection_lost`
   */
  async publish(topic: string, payload: Uint8Array, how: 0 | 1 | 2 | LinkPublishOptions): Promise<void> {
    const { signal, ...options } = typeof how === 'number' ? { qos: how } : how;
    signal?.throwIfAborted();
    if (this.#pending >= this.#maximumPending) {
      throw new Failure('queue_full', `${this.#pending} messages wait already for ${this.#where}.`);
    }
    this.#pending += 1;
    try {
      await abortable(this.#publishAdmitted(topic, payload, options), signal);
    } finally {
      this.#pending -= 1;
      if (this.#pending === 0) for (const idle of this.#idle.splice(0)) idle();
    }
  }

  /** A message that was on its way when the connection broke may come to the server before the next admission: then it is sent again. */
  async #publishAdmitted(topic: string, payload: Uint8Array, options: LinkPublishOptions): Promise<void> {
    for (;;) {
      await this.#gate.passed();
      const { shuts } = this.#gate;
      try {
        return await this.#publishNow(topic, payload, options);
      } catch (failure) {
        if (this.#gate.shuts === shuts || !(failure instanceof RefusedByServer)) throw failure;
      }
    }
  }

  #publishNow(topic: string, payload: Uint8Array, { qos, properties }: LinkPublishOptions): Promise<void> {
    const along = properties === undefined || this.#version === 4 ? {} : { properties: propertiesOf(properties) };
    return new Promise<void>((resolve, reject) => {
      this.#client.publish(topic, bytesOf(payload), { qos, ...along }, (error, packet) => {
        if (!error) return resolve();
        const code = reasonCodeIn(error);
        const reason = packet !== undefined && 'properties' in packet ? packet.properties : undefined;
        if (code === undefined) return reject(linkFailure(error, this.#where));
        reject(
          refusalOf(
            'publish_refused',
            `The server refused to publish to ${topic}`,
            code,
            (reason as Reason)?.reasonString,
          ),
        );
      });
    });
  }

  /**
   * Subscribes, and again after every break; resolves when the server has granted it.
   *
   * @throws RefusedByServer `subscribe_refused`
   */
  async subscribe(filter: string, qos: 0 | 1 | 2, receive: Receiver): Promise<void> {
    await this.#gate.passed();
    const identifier = this.#subscriptions.size + 1;
    this.#subscriptions.set(identifier, { filter, qos, receive });
    await this.#subscribeNow(identifier);
  }

  async #subscribeNow(identifier: number): Promise<void> {
    const { filter, qos } = this.#subscriptions.get(identifier)!;
    const properties = this.#version === 5 ? { properties: { subscriptionIdentifier: identifier } } : {};
    await new Promise<void>((resolve, reject) => {
      this.#client.subscribe(filter, { qos, ...properties }, (error, granted, packet) => {
        const code = packet?.granted.find((each) => Number(each) >= 0x80);
        if (!error && code === undefined) return resolve();
        this.#subscriptions.set(identifier, { filter, qos, receive: undefined });
        if (code === undefined) return reject(linkFailure(error, this.#where));
        const reason = (packet?.properties as Reason)?.reasonString;
        reject(
          refusalOf(
            'subscribe_refused',
            `The server refused the subscription to ${granted?.[0]?.topic ?? filter}`,
            Number(code),
            reason,
          ),
        );
      });
    });
  }

  /** What was agreed on for the beginning of a connection; then everything that the program has subscribed to. */
  async #admit(): Promise<void> {
    const admission = this.#admission;
    if (admission === undefined) return;
    this.#connection = new AbortController();
    const { signal } = this.#connection;
    const again = [...this.#subscriptions]
      .filter(([, { receive, early }]) => receive !== undefined && !early)
      .map(([id]) => id);
    await admission(
      {
        publish: (topic, payload, qos) => this.#publishNow(topic, payload, { qos }),
        subscribe: (filter, qos, receive) => this.#subscribeEarly(filter, qos, receive),
      },
      signal,
    );
    for (const identifier of again) await this.#subscribeNow(identifier);
    this.#gate.open();
  }

  async #subscribeEarly(filter: string, qos: 0 | 1 | 2, receive: Receiver): Promise<void> {
    const known = [...this.#subscriptions].find(([, { filter: other, early }]) => early && other === filter);
    const identifier = known?.[0] ?? this.#subscriptions.size + 1;
    this.#subscriptions.set(identifier, { filter, qos, receive, early: true });
    await this.#subscribeNow(identifier);
  }

  /** Reports what no call can: to the listeners of `problem`. */
  report(problem: Failure): void {
    for (const listener of this.#listeners.problem) listener(problem);
  }

  /** Says goodbye to the server and ends; what is not acknowledged within two seconds is given up. Safe to call twice. */
  async close(): Promise<void> {
    const client = this.#client;
    this.#gate.bar(new Failure('connection_lost', `The connection to ${this.#where} was closed by this program.`));
    // A server that is away, or never answers, must not keep a program from ending.
    if (client.connected && this.#pending > 0)
      await within(CLOSE_TIMEOUT, new Promise<void>((idle) => this.#idle.push(idle)));
    const force = !client.connected || this.#pending > 0;
    await within(CLOSE_TIMEOUT, new Promise<void>((resolve) => client.end(force, () => resolve())));
    client.stream.destroy();
    this.#resolveClosed(undefined);
  }

  async #firstConnection(): Promise<void> {
    const client = this.#client;
    try {
      await new Promise<void>((resolve, reject) => {
        client.once('connect', () => resolve());
        client.once('error', (error) => reject(this.#connectFailure(error)));
        client.once('close', () =>
          reject(
            new Failure('connection_refused', `${this.#where} closed the connection before it answered.`, {
              cure: 'Look for the refusal with `sallyport refusals`, and check that the port is the MQTT port over TLS.',
            }),
          ),
        );
      });
    } catch (failure) {
      // The library emits late errors of a socket that is being torn down; nobody must crash by them.
      client.on('error', () => {});
      client.end(true);
      throw failure;
    }
    client.removeAllListeners('error');
  }

  #keepUp(nextPause: () => number, reset: () => void): void {
    const client = this.#client;
    let steady: ReturnType<typeof setTimeout> | undefined;
    client.on('reconnect', () => {
      client.options.reconnectPeriod = nextPause();
    });
    client.on('connect', () => {
      // Two MQTT 3.1.1 clients with one id are not told why they are cut off: pauses must go on growing between them.
      steady = setTimeout(() => {
        reset();
        client.options.reconnectPeriod = nextPause();
      }, STEADY);
      this.#admit().then(
        () => {
          for (const listener of this.#listeners.online) listener(undefined);
        },
        (failure: unknown) => this.#notAdmitted(failure),
      );
    });
    client.on('close', () => {
      clearTimeout(steady);
      if (this.#admission !== undefined) this.#gate.shut();
      this.#connection.abort(new Failure('connection_lost', `The connection to ${this.#where} broke.`));
    });
    client.on('offline', () => {
      for (const listener of this.#listeners.offline) listener(undefined);
    });
    client.on('disconnect', (packet) => {
      const code = packet.reasonCode ?? 0;
      const reason = (packet.properties as Reason)?.reasonString;
      if (code === SESSION_TAKEN_OVER) {
        // Two clients with one id would push each other out for ever; the newer one stays.
        this.#end(
          new Failure('connection_lost', `Another client connected to ${this.#where} with the same client id.`, {
            cure: 'Give each program a client id of its own.',
          }),
        );
      } else {
        this.report(refusalOf('connection_lost', `${this.#where} ended the connection`, code, reason));
      }
    });
    client.on('error', (error) => {
      const failure = this.#connectFailure(error);
      if (failure instanceof RefusedByServer) {
        const again = isTemporary(failure.reasonCode);
        client.options.reconnectOnConnackError = again;
        if (!again) return this.#end(failure);
      }
      this.report(failure);
    });
  }

  /** A connection that broke in its admission is mended as any other; one that was not admitted is not tried again. */
  #notAdmitted(cause: unknown): void {
    const failure =
      cause instanceof Failure ? cause : new Failure('internal', 'The beginning of a connection failed.', { cause });
    if (failure.code === 'unlock_failed') this.#end(failure);
    else this.report(failure);
  }

  #connectFailure(error: unknown): Failure {
    const code = reasonCodeIn(error);
    if (code === undefined) return linkFailure(error, this.#where);
    const reason = this.#client.serverProperties?.reasonString;
    return refusalOf('connection_refused', `${this.#where} refused the connection`, code, reason);
  }

  #end(failure: Failure): void {
    this.#gate.bar(failure);
    this.#client.end(true);
    this.#resolveClosed(failure);
  }

  #dispatch(topic: string, payload: Uint8Array, packet: IPublishPacket): void {
    const named = packet.properties?.subscriptionIdentifier;
    const identifiers = named === undefined ? undefined : new Set([named].flat());
    for (const [identifier, { filter, receive }] of this.#subscriptions) {
      if (!receive) continue;
      if (identifiers ? !identifiers.has(identifier) : !topicMatches(filter, topic)) continue;
      Promise.resolve()
        .then(() => receive(topic, payload, packet.properties))
        .catch((cause: unknown) => {
          this.report(
            cause instanceof Failure
              ? cause
              : new Failure('internal', `The handler of a message of ${topic} threw.`, {
                  cause,
                  cure: 'Correct the handler.',
                }),
          );
        });
    }
  }
}

/** The socket of the first attempt tells by itself how far it is. */
function watchStages(client: MqttClient, onStage: NonNullable<LinkOptions['onStage']>): void {
  const socket = client.stream as Partial<TLSSocket> & MqttClient['stream'];
  socket.once('lookup', (_error: unknown, address: unknown) => onStage('name', `the name leads to ${String(address)}`));
  socket.once('connect', () => onStage('tcp', `connected to port ${socket.remotePort ?? '?'}`));
  socket.once('secureConnect', () => {
    const { valid_to: until } = socket.getPeerCertificate?.() ?? {};
    const how = `${socket.getProtocol?.() ?? 'TLS'} with ${socket.getCipher?.().standardName ?? 'an unnamed cipher'}`;
    onStage('tls', `${how}; the certificate of the server holds until ${until ?? '?'}`);
  });
  client.once('connect', () => onStage('accepted', 'the server knows who this is'));
}

type Reason = { readonly reasonString?: string } | undefined;

function propertiesOf({ responseTopic, correlationData }: MessageProperties) {
  return {
    ...(responseTopic === undefined ? {} : { responseTopic }),
    ...(correlationData === undefined ? {} : { correlationData: bytesOf(correlationData) }),
  };
}

function certificateSettings(certificate: ClientCertificate): IClientOptions {
  const passphrase = certificate.passphrase === undefined ? {} : { passphrase: certificate.passphrase };
  // The library hands these on to TLS, and its types know only some of them.
  if ('pkcs12' in certificate)
    return { pfx: Buffer.from(certificate.pkcs12), ...passphrase } as unknown as IClientOptions;
  return { cert: certificate.cert, key: certificate.key, ...passphrase };
}

async function pinSettings(pin: LinkOptions['serverPin']): Promise<IClientOptions> {
  if (pin === undefined) return {};
  const pins = pinsOf(pin);
  // Loaded on demand: a browser has no TLS of its own, and lets nobody pin.
  const { checkServerIdentity } = await import('node:tls');
  const pinned = {
    checkServerIdentity: (host: string, certificate: PeerCertificate) =>
      checkServerIdentity(host, certificate) ?? unpinned(pins, certificate),
  };
  return { ...pinned, wsOptions: pinned } as IClientOptions;
}

/** Bytes as the types of the MQTT library want them; it writes any, and a browser has no others. */
function bytesOf(bytes: Uint8Array): Buffer {
  return typeof Buffer === 'undefined' ? (bytes as Buffer) : Buffer.from(bytes);
}
