import { clientIdOf, Failure, UNLOCK_COMMAND } from '@sallyport/model';
import { dropReports, keptReports } from '../boot/boot-reports.ts';
import type { Flash } from '../boot/flash.ts';
import type { RenewCertificate } from '../firmware/est-renewal.ts';
import type { FirmwareSource } from '../firmware/firmware-source.ts';
import { Link } from '../link.ts';
import { RefusedByServer } from '../link-failure.ts';
import type { LinkOptions } from '../link-options.ts';
import { Protection, type ProtectionOptions } from '../protection.ts';
import { type DeviceStore, memoryStore } from '../sealed-store.ts';
import { type CodeDialogue, giveCode } from '../unlock.ts';
import { ManagedFirmware } from './managed-firmware.ts';
import { type CameAs, meetCommand } from './met-commands.ts';
import { type Reading, readings } from './reading.ts';
import { afterEvent, type SimulatedEvent, type SimulatedState, type WirePayload } from './simulated-events.ts';
import { SimulatedFirmware } from './simulated-firmware.ts';
import { credentialOf, type SimulatedProof } from './simulated-proof.ts';

export interface SimulatedDeviceOptions {
  readonly server: Omit<LinkOptions, 'certificate' | 'onStage'>;
  readonly organisation: string;
  readonly type: string;
  readonly id: string;
  readonly proof: SimulatedProof;
  /** Where it starts from and keeps its images; without it, it has neither a chain nor firmware. Made with `makeDevice`. */
  readonly flash?: Flash;
  /** Where firmware comes from; its own MQTT connection if left out. */
  readonly source?: FirmwareSource;
  /** Has a new certificate issued, for updates that ask for it. */
  readonly renew?: RenewCertificate;
  /** Milliseconds between two readings. */
  readonly every: number;
  /** How it guards its commands; without it whatever the policy lets through is taken. */
  readonly protection?: ProtectionOptions;
  /** What somebody enters as one-time code; without it nobody does. */
  readonly enterCode?: CodeDialogue['enterCode'];
  readonly now: () => number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/** Milliseconds before the next start, after one that did not reach the server. */
const RESTART_PAUSE = 2_000;
/**
 * Stands in for a device down to its boot chain: starts, proves who it is, sends readings, takes commands and firmware. What happens is told
 * as events, and what can be seen at a moment is its `state`, so that a terminal and a page show the same.
 */
export class SimulatedDevice {
  readonly #options: SimulatedDeviceOptions;
  readonly #store: DeviceStore;
  readonly #listeners = new Set<(event: SimulatedEvent) => void>();
  readonly #readings: Generator<Reading, never>;
  readonly #firmware: SimulatedFirmware | undefined;
  #state: SimulatedState = { connection: 'off', sent: [], commands: [] };
  #link: Link | undefined;
  #protection: Protection | undefined;
  #followed: CameAs | undefined;
  #managed: ManagedFirmware | undefined;
  #working: Promise<void> = Promise.resolve();
  #ticker: ReturnType<typeof setInterval> | undefined;
  #stopped = false;
  #seals = true;

  constructor(options: SimulatedDeviceOptions) {
    this.#options = options;
    // One for all starts: what was followed before a restart is a replay after it.
    this.#store = options.protection?.store ?? memoryStore();
    this.#readings = readings(options.random);
    const { flash, now, source, proof, renew } = options;
    this.#firmware =
      flash &&
      new SimulatedFirmware({
        flash,
        now,
        source: () => source ?? this.#managed?.pieces,
        ...(proof.by === 'certificate' && { certificate: { cert: proof.cert, key: proof.key } }),
        ...(renew && { renew }),
        emit: (event) => this.#emit(event),
      });
  }

  get state(): SimulatedState {
    return this.#state;
  }

  get clientId(): string {
    const { organisation, type, id } = this.#options;
    return clientIdOf({ kind: 'device', organisation, type, id });
  }

  /** Hears everything that happens from now on; the answer ends it. */
  on(listener: (event: SimulatedEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Starts the device, connects it and lets it send. Resolves when it is online.
   *
   * @throws RefusedByServer `connection_refused` with its ticket
   * @throws Failure `server_unreachable`, `server_not_trusted`, `key_material_invalid`
   */
  async start(): Promise<void> {
    this.#stopped = false;
    await this.#powerOn();
  }

  /** Ends the connection and the sending. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#ticker);
    await this.#link?.close();
    this.#link = undefined;
    this.#connection('off', 'switched off');
  }

  /** Switches it off and on, and again while the server is not reached: each start counts against an image on trial. */
  async restart(): Promise<void> {
    for (;;) {
      clearInterval(this.#ticker);
      await this.#link?.close();
      this.#link = undefined;
      this.#connection('off', 'restarting');
      if (this.#stopped) return;
      try {
        return await this.#powerOn();
      } catch (error) {
        if (error instanceof RefusedByServer || this.#stopped) throw error;
        this.#emit({ kind: 'problem', failure: asFailure(error) });
        await new Promise((resolve) => setTimeout(resolve, RESTART_PAUSE));
      }
    }
  }

  /**
   * Looks for firmware, installs it and restarts into it; without a version the newest. False if there is nothing newer.
   *
   * @throws Failure `firmware_rejected` and the failures of the source
   */
  async update(version?: string): Promise<boolean> {
    const firmware = this.#demandFirmware();
    if (!(await firmware.download(version))) return false;
    await firmware.install();
    await this.restart();
    return true;
  }

  /** Sends the next reading now. */
  async send(): Promise<void> {
    const reading = this.#readings.next().value;
    const at = this.#at();
    let wire: readonly WirePayload[] | undefined;
    try {
      wire = await this.#wireOf('status', reading);
      for (const { format, bytes } of wire) await this.#publish('status', format, bytes);
      this.#emit({ kind: 'sent', entry: { at, reading, sent: true, wire } });
    } catch (error) {
      const why = asFailure(error).message;
      this.#emit({ kind: 'sent', entry: { at, reading, sent: false, why, ...(wire && { wire }) } });
    }
  }

  /** Whether readings are sealed for the applications of its protection. They are, where it names some, until somebody ends it. */
  get seals(): boolean {
    return this.#seals && this.#options.protection?.sealEventsFor !== undefined;
  }

  set seals(on: boolean) {
    this.#seals = on;
  }

  /** Meets the last command that it followed once more, as if somebody had recorded it. False if it followed none yet. */
  async replay(): Promise<boolean> {
    if (!this.#followed) return false;
    await this.#take(this.#followed);
    return true;
  }

  /** Resolves when nothing is being downloaded or installed. */
  idle(): Promise<void> {
    return this.#working;
  }

  async #powerOn(): Promise<void> {
    this.#firmware?.startUp();
    await this.#connect();
    await this.#afterStart();
  }

  /** A certificate that came with an update and that the server refuses is given up for the one before. */
  async #connect(): Promise<void> {
    try {
      await this.#connectOnce();
    } catch (error) {
      if (!(error instanceof RefusedByServer) || !this.#firmware?.returnToCertificateBefore()) throw error;
      await this.#connectOnce();
    }
    this.#firmware?.certificateTaken();
  }

  async #connectOnce(): Promise<void> {
    const { server, proof } = this.#options;
    this.#connection('connecting', `connecting to ${server.host} as ${this.clientId}`);
    try {
      const certificate = this.#firmware?.certificate ?? (proof.by === 'certificate' ? proof : undefined);
      const link = await Link.open(
        {
          ...server,
          ...(certificate && { certificate: { cert: certificate.cert, key: certificate.key } }),
          onStage: (stage, text) => this.#emit({ kind: 'stage', stage, text }),
        },
        { clientId: this.clientId, ...credentialOf(proof) },
      );
      this.#link = link;
      this.#listen(link);
      await this.#guard(link);
      await this.#listenToCommands(link);
      await this.#protection?.introduce();
      const firmware = this.#firmware;
      if (firmware) {
        const work = (each: () => Promise<void>) => this.#work(each);
        this.#managed = await ManagedFirmware.open({ firmware, link, work, restart: () => this.restart() });
      }
      this.#emit({ kind: 'stage', stage: 'subscribed', text: 'listens to its commands' });
      this.#connection('online', 'online');
    } catch (error) {
      const failure = asFailure(error);
      this.#connection(failure instanceof RefusedByServer ? 'refused' : 'offline', failure.message);
      throw failure;
    }
  }

  async #guard(link: Link): Promise<void> {
    const { protection, organisation, type, id, server } = this.#options;
    if (!protection) return;
    const device = {
      organisation,
      kind: 'device',
      type,
      id,
      ...(server.ca === undefined ? {} : { ca: server.ca }),
    } as const;
    this.#protection = await Protection.open({ ...protection, store: this.#store }, device, (name, format, bytes) =>
      link.publish(`iot-2/evt/${name}/fmt/${format}`, bytes, 1),
    );
  }

  /** A session that owes its one-time code is refused everything but that. */
  async #listenToCommands(link: Link): Promise<void> {
    const listen = () => link.subscribe('iot-2/cmd/+/fmt/+', 1, (topic, payload) => this.#command(topic, payload));
    try {
      await listen();
    } catch (error) {
      if (!(error instanceof RefusedByServer) || error.code !== 'subscribe_refused') throw error;
      const { enterCode = async () => undefined } = this.#options;
      const broken = new AbortController();
      void link.closed.then((failure) => broken.abort(failure ?? new Failure('connection_lost', 'It was closed.')));
      await giveCode({
        port: link,
        own: 'iot-2',
        signal: broken.signal,
        enterCode,
        onStatus: (status) => this.#emit({ kind: 'unlock', status, at: this.#at() }),
      });
      await listen();
    }
  }

  #listen(link: Link): void {
    link.on('offline', () => this.#connection('offline', 'the connection broke; trying again'));
    link.on('online', () => {
      this.#connection('online', 'connected again');
      // Every connection owes a code of its own.
      if (this.#state.unlock) this.#work(() => this.#listenToCommands(link));
    });
    link.on('problem', (failure) => this.#emit({ kind: 'problem', failure }));
    void link.closed.then((failure) => {
      if (!failure || this.#link !== link) return;
      clearInterval(this.#ticker);
      this.#connection('refused', failure.message);
      this.#emit({ kind: 'problem', failure });
    });
  }

  async #afterStart(): Promise<void> {
    const { every } = this.#options;
    const firmware = this.#firmware;
    if (firmware) {
      // The image on trial is healthy if it comes to the server and is not marked otherwise.
      if (!firmware.prove()) return this.restart();
      if (firmware.settleCertificate()) await this.#reconnect();
      await this.#tellReports(firmware.flash);
      await this.#managed?.manage(firmware.report?.version);
      // A device that cannot start can still be helped: it takes an image that it can believe, and nothing else.
      if (firmware.report?.outcome === 'stopped') return this.#recover(firmware);
    }
    clearInterval(this.#ticker);
    this.#ticker = setInterval(() => void this.send(), every);
    await this.send();
  }

  async #reconnect(): Promise<void> {
    const before = this.#link;
    this.#link = undefined;
    await before?.close();
    await this.#connect();
  }

  async #tellReports(flash: Flash): Promise<void> {
    const reports = keptReports(flash);
    for (const report of reports) await this.#publish('boot', 'json', new TextEncoder().encode(JSON.stringify(report)));
    if (reports.length === 0) return;
    dropReports(flash, reports.length);
    this.#emit({
      kind: 'stage',
      stage: 'reported',
      text: reports.length === 1 ? 'told how it started' : `told of ${reports.length} starts`,
    });
  }

  async #recover(firmware: SimulatedFirmware): Promise<void> {
    try {
      await this.update();
    } catch (error) {
      firmware.tell('failed', asFailure(error).message);
    }
  }

  #work(work: () => Promise<void>): void {
    this.#working = this.#working.then(work).catch((error: unknown) => {
      this.#emit({ kind: 'problem', failure: asFailure(error) });
    });
  }

  async #command(topic: string, payload: Uint8Array): Promise<void> {
    const [, , name = '', , format = ''] = topic.split('/');
    if (name === UNLOCK_COMMAND) return;
    await this.#take({ name, format, payload });
  }

  async #take(came: CameAs): Promise<void> {
    const at = this.#at();
    const { followed, ...met } = await meetCommand(came, this.#protection);
    if (followed) this.#followed = came;
    this.#emit({ kind: 'command', entry: { at, ...met } });
  }

  async #wireOf(name: string, value: unknown): Promise<readonly WirePayload[]> {
    const clear = { format: 'json', bytes: new TextEncoder().encode(JSON.stringify(value)) };
    const sealed = this.seals ? await this.#protection?.sealed(name, clear) : undefined;
    const applications = this.#options.protection?.sealEventsFor ?? [];
    return sealed?.map((one, index) => ({ ...one, sealedFor: applications[index] ?? '' })) ?? [clear];
  }

  async #publish(name: string, format: string, bytes: Uint8Array): Promise<void> {
    if (!this.#link) throw new Failure('connection_lost', 'The device is not connected.');
    await this.#link.publish(`iot-2/evt/${name}/fmt/${format}`, bytes, 1);
  }

  #demandFirmware(): SimulatedFirmware {
    if (this.#firmware) return this.#firmware;
    throw new Failure('invalid_request', 'This device has no flash for firmware.');
  }

  #connection(state: SimulatedState['connection'], text: string): void {
    this.#emit({ kind: 'connection', state, text });
  }

  #emit(event: SimulatedEvent): void {
    this.#state = afterEvent(this.#state, event);
    for (const listener of this.#listeners) listener(event);
  }

  #at(): string {
    return new Date(this.#options.now()).toISOString();
  }
}

function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  return new Failure('internal', error instanceof Error ? error.message : String(error), { cause: error });
}
