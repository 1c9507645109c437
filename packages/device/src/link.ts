import { Failure } from '@sallyport/model';
// The library as a whole: what a browser gets of it has no exports by name.
import mqtt, { type MqttClient } from 'mqtt';
import { abortable, pause } from './abort.ts';
import { type Backoff, jitteredBackoff } from './backoff.ts';
import { Gate } from './gate.ts';
import {
  isTemporary,
  linkFailure,
  misspoken,
  RefusedByServer,
  reasonCodeIn,
  refusalOf,
  refusedWith,
} from './link-failure.ts';
import type {
  Admission,
  LinkCredential,
  LinkEvents,
  LinkListener,
  LinkOptions,
  LinkPublishOptions,
  MessageProperties,
} from './link-options.ts';
import { fixedProof, type LinkProof } from './link-proof.ts';
import {
  applySettings,
  connectSettings,
  isChanging,
  keepsSession,
  lastingSettings,
  watchStages,
} from './link-settings.ts';
import { ProofExchange } from './proof-exchange.ts';
import { keepProven } from './renewal.ts';
import { type Receiver, Subscriptions } from './subscriptions.ts';
import { within } from './within.ts';

const SESSION_TAKEN_OVER = 0x8e;
const CLOSE_TIMEOUT = 2_000;
/** Milliseconds after which a connection counts as good. */
const STEADY = 10_000;

/** What ends a client, as trying again would change nothing. */
const FINAL: ReadonlySet<string> = new Set([
  'token_refused',
  'renewal_refused',
  'server_not_proven',
  'unlock_failed',
  'key_material_invalid',
  'invalid_request',
]);

interface LinkParts {
  readonly client: MqttClient;
  readonly where: string;
  readonly options: LinkOptions;
  readonly proof: LinkProof;
  readonly exchange: ProofExchange;
  readonly admission: Admission | undefined;
}

/** One connection to the server that mends itself, and the errors of everything below it in our own terms. */
export class Link {
  /** Resolves when the connection has ended for good: with nothing after `close()`, else with the reason. */
  readonly closed: Promise<Failure | undefined>;
  readonly #parts: LinkParts;
  readonly #client: MqttClient;
  readonly #where: string;
  readonly #maximumPending: number;
  readonly #subscriptions = new Subscriptions();
  readonly #listeners: { [T in keyof LinkEvents]: Set<LinkListener<T>> } = {
    online: new Set(),
    offline: new Set(),
    problem: new Set(),
    renewed: new Set(),
  };
  readonly #backoff: Backoff;
  /** Shut from the break of a connection until the admission of the next where there is one, and while the connection is moved. */
  readonly #gate = new Gate();
  readonly #ending = new AbortController();
  #connection = new AbortController();
  /** What the connection is left for, until there is another. */
  #moving: LinkEvents['renewed']['what'] | undefined;
  /** The next break is our own doing. */
  #leaving = false;
  #pending = 0;
  readonly #idle: (() => void)[] = [];
  #resolveClosed: (failure: Failure | undefined) => void = () => {};

  private constructor(parts: LinkParts) {
    this.#parts = parts;
    this.#client = parts.client;
    this.#where = parts.where;
    this.#maximumPending = parts.options.maximumPending ?? 1_000;
    this.#backoff = jitteredBackoff(parts.options.backoff);
    if (parts.admission !== undefined) this.#gate.shut();
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  /**
   * Connects. The first attempt is the only one: it fails at once with what is wrong. Breaks after it are mended.
   *
   * @throws RefusedByServer `connection_refused`
   * @throws Failure `server_unreachable`, `server_not_trusted`, `server_not_proven`, `key_material_invalid`, `token_refused`, `token_unavailable`
   */
  static async open(options: LinkOptions, credential: LinkCredential, admission?: Admission): Promise<Link> {
    const { signal, onStage } = options;
    signal?.throwIfAborted();
    const { clientId, proof = fixedProof(credential) } = credential;
    // What was subscribed comes again only after the admission.
    const lasting = await lastingSettings(options, admission === undefined);
    const begun = await abortable(proof.begin(signal ?? new AbortController().signal), signal);
    const client = mqtt.connect({ ...lasting, clientId, ...connectSettings(begun, options) });
    if (onStage) watchStages(client, onStage);
    const where = `${options.host}:${lasting.port}`;
    const exchange = new ProofExchange(client, proof, where, begun.method);
    const link = new Link({ client, where, options, proof, exchange, admission });
    client.on('message', (topic, payload, packet) =>
      link.#subscriptions.dispatch(topic, payload, packet, (failure) => link.report(failure)),
    );
    const stop = () => void link.close();
    signal?.addEventListener('abort', stop, { once: true });
    void link.closed.then(() => signal?.removeEventListener('abort', stop));
    await abortable(link.#firstConnection(), signal);
    link.#keepUp();
    if (admission !== undefined) {
      try {
        await abortable(link.#admit(), signal);
      } catch (failure) {
        await link.close();
        throw failure;
      }
    }
    link.#keepProven();
    link.#followCertificate();
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
        const what = `The server refused to publish to ${topic}`;
        reject(refusalOf('publish_refused', what, code, (reason as Reason)?.reasonString));
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
    await this.#subscribeNow(this.#subscriptions.add({ filter, qos, receive }));
  }

  async #subscribeNow(identifier: number): Promise<void> {
    const { filter, qos } = this.#subscriptions.get(identifier);
    const properties = this.#version === 5 ? { properties: { subscriptionIdentifier: identifier } } : {};
    await new Promise<void>((resolve, reject) => {
      this.#client.subscribe(filter, { qos, ...properties }, (error, granted, packet) => {
        const code = packet?.granted.find((each) => Number(each) >= 0x80);
        if (!error && code === undefined) return resolve();
        this.#subscriptions.refused(identifier);
        if (code === undefined) return reject(linkFailure(error, this.#where));
        const reason = (packet?.properties as Reason)?.reasonString;
        const what = `The server refused the subscription to ${granted?.[0]?.topic ?? filter}`;
        reject(refusalOf('subscribe_refused', what, Number(code), reason));
      });
    });
  }

  /** What was agreed on for the beginning of a connection; then everything that the program has subscribed to. */
  async #admit(): Promise<void> {
    this.#connection = new AbortController();
    const { admission } = this.#parts;
    if (admission === undefined) return this.#gate.open();
    const { signal } = this.#connection;
    const again = this.#subscriptions.granted();
    await admission(
      {
        publish: (topic, payload, qos) => this.#publishNow(topic, payload, { qos }),
        subscribe: (filter, qos, receive) =>
          this.#subscribeNow(this.#subscriptions.add({ filter, qos, receive, early: true })),
      },
      signal,
    );
    for (const identifier of again) await this.#subscribeNow(identifier);
    this.#gate.open();
  }

  /** Reports what no call can: to the listeners of `problem`. */
  report(problem: Failure): void {
    for (const listener of this.#listeners.problem) listener(problem);
  }

  /** Says goodbye to the server and ends; what is not acknowledged within two seconds is given up. Safe to call twice. */
  async close(): Promise<void> {
    const client = this.#client;
    this.#ending.abort();
    this.#gate.bar(new Failure('connection_lost', `The connection to ${this.#where} was closed by this program.`));
    // A server that is away, or never answers, must not keep a program from ending.
    if (client.connected) await this.#quiet();
    const force = !client.connected || this.#pending > 0;
    const last = keepsSession(this.#parts.options) ? { properties: { sessionExpiryInterval: 0 } } : {};
    await within(CLOSE_TIMEOUT, new Promise<void>((resolve) => client.end(force, last, () => resolve())));
    client.stream.destroy();
    this.#resolveClosed(undefined);
  }

  /** Resolves when nothing waits for the server any more, and after two seconds in any case. */
  async #quiet(): Promise<void> {
    if (this.#pending > 0) await within(CLOSE_TIMEOUT, new Promise<void>((idle) => this.#idle.push(idle)));
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

  #keepUp(): void {
    const client = this.#client;
    let steady = setTimeout(() => this.#backoff.reset(), STEADY);
    client.on('connect', () => {
      // Two MQTT 3.1.1 clients with one id are not told why they are cut off: pauses must go on growing between them.
      steady = setTimeout(() => this.#backoff.reset(), STEADY);
      this.#admit().then(
        () => {
          const what = this.#moving;
          this.#moving = undefined;
          this.#emit('online', undefined);
          if (what !== undefined) this.#emit('renewed', { what });
          this.#keepProven();
        },
        (failure: unknown) => this.#notAdmitted(failure),
      );
    });
    client.on('close', () => {
      clearTimeout(steady);
      if (this.#parts.admission !== undefined) this.#gate.shut();
      this.#connection.abort(new Failure('connection_lost', `The connection to ${this.#where} broke.`));
      void this.#comeBack();
    });
    client.on('offline', () => this.#emit('offline', undefined));
    client.on('disconnect', (packet) => {
      const code = packet.reasonCode ?? 0;
      this.#toldToGo(code, (packet.properties as Reason)?.reasonString);
    });
    client.on('error', (error) => {
      const failure = this.#connectFailure(error);
      // What is no MQTT, and whoever is not believed, gets nothing more; the library would go on listening.
      client.stream.destroy();
      const refused = failure instanceof RefusedByServer && !isTemporary(failure.reasonCode);
      if (refused ? !this.#parts.proof.refused?.() : FINAL.has(failure.code)) return this.#end(failure);
      this.report(failure);
    });
  }

  #toldToGo(code: number, reason: string | undefined): void {
    if (code === SESSION_TAKEN_OVER) {
      // Two clients with one id would push each other out for ever; the newer one stays.
      const message = `Another client connected to ${this.#where} with the same client id.`;
      this.#end(new Failure('connection_lost', message, { cure: 'Give each program a client id of its own.' }));
    } else if (this.#parts.exchange.renewing && !isTemporary(code)) {
      this.#end(refusalOf('renewal_refused', `${this.#where} did not take the renewed proof`, code, reason));
    } else {
      this.report(refusalOf('connection_lost', `${this.#where} ended the connection`, code, reason));
      // It owes the end of the connection, but need not keep its word.
      this.#client.stream.destroy();
    }
  }

  /** Connects again after a pause, with a proof of that moment. */
  async #comeBack(): Promise<void> {
    const { signal } = this.#ending;
    const { proof, exchange, options } = this.#parts;
    try {
      let wait = this.#leaving ? 0 : this.#backoff.next();
      this.#leaving = false;
      for (;;) {
        await pause(signal, wait);
        try {
          const begun = await proof.begin(signal);
          signal.throwIfAborted();
          exchange.begin(begun.method);
          applySettings(this.#client, {
            ...connectSettings(begun, options),
            // The first connection begins the session; the others go on with it.
            ...(keepsSession(options) ? { clean: false } : {}),
          });
          this.#client.connect();
          return;
        } catch (failure) {
          signal.throwIfAborted();
          if (FINAL.has((failure as Failure).code)) return this.#end(failure as Failure);
          this.report(failure as Failure);
          wait = this.#backoff.next();
        }
      }
    } catch {
      // Ended by the program, or for good.
    }
  }

  /** Leaves the connection for a new one, once nothing is on its way; what is published meanwhile waits. */
  async #move(what: LinkEvents['renewed']['what']): Promise<void> {
    this.#gate.shut();
    await this.#quiet();
    this.#moving = what;
    this.#leaving = this.#client.connected;
    this.#client.stream.destroy();
  }

  #keepProven(): void {
    const { proof, exchange } = this.#parts;
    void keepProven(
      {
        proof,
        exchange,
        move: () => this.#move('access-token'),
        report: (failure) => this.report(failure),
        renewed: () => this.#emit('renewed', { what: 'access-token' }),
      },
      this.#connection.signal,
    );
  }

  /** Shows a renewed certificate at once: the old one may end before the connection does. */
  #followCertificate(): void {
    const { certificate } = this.#parts.options;
    if (certificate === undefined || !isChanging(certificate)) return;
    const ends = [
      certificate.onRenewed(() => void this.#move('certificate')),
      certificate.onProblem((problem) => this.report(problem)),
    ];
    void this.closed.then(() => {
      for (const end of ends) end();
    });
  }

  /** A connection that broke in its admission is mended as any other; one that was not admitted is not tried again. */
  #notAdmitted(cause: unknown): void {
    const failure =
      cause instanceof Failure ? cause : new Failure('internal', 'The beginning of a connection failed.', { cause });
    if (FINAL.has(failure.code)) this.#end(failure);
    else this.report(failure);
  }

  #connectFailure(error: unknown): Failure {
    const { distrust } = this.#parts.exchange;
    if (distrust !== undefined) return distrust;
    const code = refusedWith(error);
    if (code === undefined) return misspoken(error, this.#where) ?? linkFailure(error, this.#where);
    const reason = this.#client.serverProperties?.reasonString;
    return refusalOf('connection_refused', `${this.#where} refused the connection`, code, reason);
  }

  #end(failure: Failure): void {
    this.#ending.abort();
    this.#gate.bar(failure);
    this.#client.end(true);
    this.#resolveClosed(failure);
  }

  #emit<T extends keyof LinkEvents>(event: T, value: LinkEvents[T]): void {
    for (const listener of this.#listeners[event]) listener(value);
  }

  get #version(): 4 | 5 {
    return this.#parts.options.protocolVersion ?? 5;
  }
}

type Reason = { readonly reasonString?: string } | undefined;

function propertiesOf({ responseTopic, correlationData }: MessageProperties) {
  return {
    ...(responseTopic === undefined ? {} : { responseTopic }),
    ...(correlationData === undefined ? {} : { correlationData: bytesOf(correlationData) }),
  };
}

/** Bytes as the types of the MQTT library want them; it writes any, and a browser has no others. */
function bytesOf(bytes: Uint8Array): Buffer {
  return typeof Buffer === 'undefined' ? (bytes as Buffer) : Buffer.from(bytes);
}
