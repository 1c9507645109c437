import { Failure } from '@sallyport/model';
// The library as a whole: what a browser gets of it has no exports by name.
import mqtt, { type MqttClient } from 'mqtt';
import { abortable } from './abort.ts';
import { Gate } from './gate.ts';
import { checkLink } from './link-check.ts';
import { connectFailure, isTemporary, RefusedByServer, refusalOf } from './link-failure.ts';
import { LinkListeners } from './link-listeners.ts';
import type {
  Admission,
  LinkCredential,
  LinkEvents,
  LinkListener,
  LinkOptions,
  LinkPublishOptions,
} from './link-options.ts';
import { fixedProof, type LinkProof } from './link-proof.ts';
import { applySettings, connectSettings, keepsSession, lastingSettings, watchStages } from './link-settings.ts';
import { PacketBound, packetBound } from './packet-bound.ts';
import { Pending } from './pending.ts';
import { ProofExchange } from './proof-exchange.ts';
import { Reconnection } from './reconnection.ts';
import { followCertificate, keepProven } from './renewal.ts';
import { type Receiver, Subscriptions } from './subscriptions.ts';
import { Wire } from './wire.ts';
import { within } from './within.ts';

const SESSION_TAKEN_OVER = 0x8e;
const CLOSE_TIMEOUT = 2_000;
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
  readonly bound: PacketBound;
  /** The session outlives its connections. */
  readonly kept: boolean;
}

/** One connection to the server that mends itself, and the errors of everything below it in our own terms. */
export class Link {
  /** Resolves when the connection has ended for good: with nothing after `close()`, else with the reason. */
  readonly closed: Promise<Failure | undefined>;
  readonly #parts: LinkParts;
  readonly #client: MqttClient;
  readonly #where: string;
  readonly #wire: Wire;
  readonly #pending: Pending;
  readonly #subscriptions = new Subscriptions();
  readonly #listeners = new LinkListeners();
  readonly #reconnection: Reconnection;
  /** Shut from the break of a connection until the admission of the next where there is one, and while the connection is moved. */
  readonly #gate = new Gate();
  #connection = new AbortController();
  /** What the connection is left for, until there is another. */
  #moving: LinkEvents['renewed']['what'] | undefined;
  #resolveClosed: (failure: Failure | undefined) => void = () => {};

  private constructor(parts: LinkParts) {
    const { options, client, where } = parts;
    this.#parts = parts;
    this.#client = client;
    this.#where = where;
    this.#wire = new Wire(client, where, options.protocolVersion ?? 5);
    this.#pending = new Pending(options.maximumPending ?? 1_000, where);
    this.#reconnection = new Reconnection({
      ...parts,
      isFinal: ({ code }) => FINAL.has(code),
      report: (failure) => this.report(failure),
      end: (failure) => this.#end(failure),
    });
    if (parts.admission !== undefined) this.#gate.shut();
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  /**
   * Connects. The first attempt is the only one: it fails at once with what is wrong. Breaks after it are mended.
   *
   * @throws RefusedByServer `connection_refused`
   * @throws Failure `invalid_request`, `server_unreachable`, `server_not_trusted`, `server_not_proven`, `key_material_invalid`, `token_refused`, `token_unavailable`
   */
  static async open(options: LinkOptions, credential: LinkCredential, admission?: Admission): Promise<Link> {
    const { signal, onStage } = options;
    checkLink(options, credential);
    signal?.throwIfAborted();
    const { clientId, proof = fixedProof(credential) } = credential;
    // What was subscribed comes again only after the admission.
    const lasting = await lastingSettings(options, admission === undefined);
    const begun = await abortable(proof.begin(signal ?? new AbortController().signal), signal);
    const kept = keepsSession(options, proof);
    const settings = await connectSettings(begun, options, kept);
    signal?.throwIfAborted();
    const where = `${options.host}:${lasting.port}`;
    const bound = new PacketBound(packetBound(options.maximumPacketSize), where);
    const client = mqtt.connect({ ...lasting, clientId, ...settings });
    bound.watch(client);
    if (onStage) watchStages(client, onStage);
    const exchange = new ProofExchange(client, proof, where, begun.method);
    const link = new Link({ client, where, options, proof, exchange, admission, bound, kept });
    client.on('message', (topic, payload, packet) => {
      if (!bound.exceeded) link.#subscriptions.dispatch(topic, payload, packet, (failure) => link.report(failure));
    });
    const stop = () => void link.close();
    signal?.addEventListener('abort', stop, { once: true });
    void link.closed.then(() => signal?.removeEventListener('abort', stop));
    await abortable(link.#connected(), signal);
    if (kept && options.protocolVersion === 4) await abortable(link.#beginKeeping(), signal);
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
    followCertificate(options.certificate, {
      move: () => link.#move('certificate'),
      report: (problem) => link.report(problem),
      closed: link.closed,
    });
    return link;
  }

  #connected(): Promise<void> {
    return this.#wire.connected((error) => this.#connectFailure(error));
  }

  /**
   * Connects a second time, for a session that is kept. MQTT 3.1.1 cannot say both that a session begins anew and that it is to be kept: the
   * connection before has ended what was left of another start.
   */
  async #beginKeeping(): Promise<void> {
    const client = this.#client;
    const left = new Promise<void>((resolve) => client.once('close', () => resolve()));
    client.stream.destroy();
    await left;
    applySettings(client, { clean: false });
    client.connect();
    this.#parts.bound.watch(client);
    await this.#connected();
  }

  on<T extends keyof LinkEvents>(event: T, listener: LinkListener<T>): void {
    this.#listeners.add(event, listener);
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
    await this.#pending.during(() => abortable(this.#publishAdmitted(topic, payload, options), signal));
  }

  /** A message that was on its way when the connection broke may come to the server before the next admission: then it is sent again. */
  async #publishAdmitted(topic: string, payload: Uint8Array, options: LinkPublishOptions): Promise<void> {
    for (;;) {
      await this.#gate.passed();
      const { shuts } = this.#gate;
      try {
        return await this.#wire.publish(topic, payload, options);
      } catch (failure) {
        if (this.#gate.shuts === shuts || !(failure instanceof RefusedByServer)) throw failure;
      }
    }
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
    try {
      await this.#wire.subscribe(identifier, this.#subscriptions.get(identifier));
    } catch (failure) {
      this.#subscriptions.refused(identifier);
      throw failure;
    }
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
        publish: (topic, payload, qos) => this.#wire.publish(topic, payload, { qos }),
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
    this.#listeners.tell('problem', problem);
  }

  /** Says goodbye to the server and ends; what is not acknowledged within two seconds is given up. Safe to call twice. */
  async close(): Promise<void> {
    const client = this.#client;
    this.#reconnection.stop();
    this.#gate.bar(new Failure('connection_lost', `The connection to ${this.#where} was closed by this program.`));
    // A server that is away, or never answers, must not keep a program from ending.
    if (client.connected) await this.#pending.quiet(CLOSE_TIMEOUT);
    const force = !client.connected || !this.#pending.none;
    const last = this.#parts.kept ? { properties: { sessionExpiryInterval: 0 } } : {};
    await within(CLOSE_TIMEOUT, new Promise<void>((resolve) => client.end(force, last, () => resolve())));
    client.stream.destroy();
    this.#resolveClosed(undefined);
  }

  #keepUp(): void {
    const client = this.#client;
    this.#reconnection.begun();
    client.on('connect', () => {
      this.#reconnection.begun();
      this.#admit().then(
        () => {
          const what = this.#moving;
          this.#moving = undefined;
          this.#listeners.tell('online', undefined);
          if (what !== undefined) this.#listeners.tell('renewed', { what });
          this.#keepProven();
        },
        (failure: unknown) => this.#notAdmitted(failure),
      );
    });
    client.on('close', () => {
      if (this.#parts.admission !== undefined) this.#gate.shut();
      this.#connection.abort(new Failure('connection_lost', `The connection to ${this.#where} broke.`));
      this.#reconnection.broken();
    });
    client.on('offline', () => this.#listeners.tell('offline', undefined));
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

  /** Leaves the connection for a new one, once nothing is on its way; what is published meanwhile waits. */
  async #move(what: LinkEvents['renewed']['what']): Promise<void> {
    this.#gate.shut();
    await this.#pending.quiet(CLOSE_TIMEOUT);
    this.#moving = what;
    if (this.#client.connected) this.#reconnection.leaving();
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
        renewed: () => this.#listeners.tell('renewed', { what: 'access-token' }),
      },
      this.#connection.signal,
    );
  }

  /** A connection that broke in its admission is mended as any other; one that was not admitted is not tried again. */
  #notAdmitted(cause: unknown): void {
    const failure =
      cause instanceof Failure ? cause : new Failure('internal', 'The beginning of a connection failed.', { cause });
    if (FINAL.has(failure.code)) this.#end(failure);
    else this.report(failure);
  }

  #connectFailure(error: unknown): Failure {
    const reason = this.#client.serverProperties?.reasonString;
    return this.#parts.exchange.distrust ?? connectFailure(error, this.#where, reason);
  }

  #end(failure: Failure): void {
    this.#reconnection.stop();
    this.#gate.bar(failure);
    this.#client.end(true);
    this.#resolveClosed(failure);
  }
}

type Reason = { readonly reasonString?: string } | undefined;
