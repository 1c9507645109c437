import { clientIdOf, Failure, UNLOCK_COMMAND } from '@sallyport/model';
import { boot, confirmBoot } from '../boot/boot.ts';
import type { BootReport } from '../boot/boot-report.ts';
import { dropReports, keepReport, keptReports } from '../boot/boot-reports.ts';
import type { Flash } from '../boot/flash.ts';
import { type Rom, readRom } from '../boot/rom.ts';
import { imageFile, readSlot } from '../boot/slot.ts';
import type { FirmwareSource } from '../firmware/firmware-source.ts';
import { type MqttSource, mqttSource } from '../firmware/mqtt-source.ts';
import { type Downloaded, downloadImage, findUpdate, installImage } from '../firmware/update.ts';
import { Link } from '../link.ts';
import { RefusedByServer } from '../link-failure.ts';
import type { LinkOptions } from '../link-options.ts';
import { Protection, type ProtectionOptions } from '../protection.ts';
import { type DeviceStore, memoryStore } from '../sealed-store.ts';
import { type CodeDialogue, giveCode } from '../unlock.ts';
import { ManagementDialogue } from './management-dialogue.ts';
import { type Reading, readings } from './reading.ts';
import { afterEvent, type FirmwarePhase, type SimulatedEvent, type SimulatedState } from './simulated-events.ts';

/** How the device proves who it is. */
export type SimulatedProof =
  | { readonly by: 'token'; readonly token: string }
  | { readonly by: 'password'; readonly username: string; readonly password: string }
  | { readonly by: 'certificate'; readonly cert: string; readonly key: string; readonly token?: string };

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
/** An image that begins so does not pass its health check: to show what happens then. */
const UNHEALTHY = '#!unhealthy';
/** `updateStatus` of the device management protocol. */
const STATUS = { ok: 0, underWay: 1, connectionLost: 3, verificationFailed: 4 } as const;

/**
 * Stands in for a device down to its boot chain: starts, proves who it is, sends readings, takes commands and firmware. What happens is told
 * as events, and what can be seen at a moment is its `state`, so that a terminal and a page show the same.
 */
export class SimulatedDevice {
  readonly #options: SimulatedDeviceOptions;
  readonly #store: DeviceStore;
  readonly #listeners = new Set<(event: SimulatedEvent) => void>();
  readonly #readings: Generator<Reading, never>;
  #state: SimulatedState = { connection: 'off', sent: [], commands: [] };
  #link: Link | undefined;
  #protection: Protection | undefined;
  #followed: CameAs | undefined;
  #dialogue: ManagementDialogue | undefined;
  #pieces: MqttSource | undefined;
  #report: BootReport | undefined;
  #offered: string | undefined;
  #downloaded: Downloaded | undefined;
  #working: Promise<void> = Promise.resolve();
  #ticker: ReturnType<typeof setInterval> | undefined;
  #stopped = false;

  constructor(options: SimulatedDeviceOptions) {
    this.#options = options;
    // One for all starts: what was followed before a restart is a replay after it.
    this.#store = options.protection?.store ?? memoryStore();
    this.#readings = readings(options.random);
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
    if (!(await this.#download(version))) return false;
    this.#install();
    await this.restart();
    return true;
  }

  /** Sends the next reading now. */
  async send(): Promise<void> {
    const reading = this.#readings.next().value;
    const at = this.#at();
    try {
      await this.#publishEvent('status', reading);
      this.#emit({ kind: 'sent', entry: { at, reading, sent: true } });
    } catch (error) {
      const failure = asFailure(error);
      this.#emit({ kind: 'sent', entry: { at, reading, sent: false, why: failure.message } });
    }
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
    this.#startUp();
    await this.#connect();
    await this.#afterStart();
  }

  #startUp(): void {
    const { flash, now } = this.#options;
    if (!flash) return;
    const report = boot({ flash, now, onStep: (step) => this.#emit({ kind: 'boot-step', step }) });
    this.#report = report;
    if (report.outcome !== 'booted' || report.trial) keepReport(flash, report);
    this.#emit({ kind: 'booted', report });
  }

  async #connect(): Promise<void> {
    const { server, proof } = this.#options;
    this.#connection('connecting', `connecting to ${server.host} as ${this.clientId}`);
    try {
      const link = await Link.open(
        {
          ...server,
          ...(proof.by === 'certificate' ? { certificate: { cert: proof.cert, key: proof.key } } : {}),
          onStage: (stage, text) => this.#emit({ kind: 'stage', stage, text }),
        },
        { clientId: this.clientId, ...credentialOf(proof) },
      );
      this.#link = link;
      this.#listen(link);
      await this.#guard(link);
      await this.#listenToCommands(link);
      await this.#protection?.introduce();
      if (this.#options.flash) await this.#subscribeManagement(link);
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

  async #subscribeManagement(link: Link): Promise<void> {
    const pieces = mqttSource(link);
    const dialogue = new ManagementDialogue(link, {
      offered: ({ version }) => {
        this.#offered = version;
        this.#firmware('offered', `the server offers ${version ?? 'something'}`, version);
      },
      standing: () => ({ state: this.#downloaded ? 2 : 0, updateStatus: STATUS.ok }),
      download: () => this.#work(() => this.#downloadOffered()),
      update: () => this.#work(() => this.#updateOffered()),
      reboot: () => this.#work(() => this.restart()),
    });
    this.#pieces = pieces;
    this.#dialogue = dialogue;
    await link.subscribe('iotdm-1/#', 1, (topic, payload) => {
      if (!pieces.receive(topic, payload)) return dialogue.receive(topic, payload);
    });
  }

  async #afterStart(): Promise<void> {
    const { flash, every } = this.#options;
    const report = this.#report;
    if (flash && report) {
      if (report.trial && !(await this.#proveItself(flash, report))) return;
      await this.#tellReports(flash);
      await this.#dialogue?.manage(report.version);
      // A device that cannot start can still be helped: it takes an image that it can believe, and nothing else.
      if (report.outcome === 'stopped') return this.#recover();
    }
    clearInterval(this.#ticker);
    this.#ticker = setInterval(() => void this.send(), every);
    await this.send();
  }

  /** The image on trial is healthy if it comes to the server and is not marked otherwise. */
  async #proveItself(flash: Flash, report: BootReport): Promise<boolean> {
    const { slot, version } = report;
    const reading = slot && readSlot(flash, this.#rom(flash), slot);
    if (!slot || reading?.found !== 'record') return true;
    this.#firmware('on-trial', `${version} runs on trial`, version);
    if (flash.head(imageFile(slot), UNHEALTHY.length).toString('latin1') === UNHEALTHY) {
      this.#firmware('unhealthy', `${version} does not pass its health check; restarting`, version);
      await this.restart();
      return false;
    }
    confirmBoot(flash, report, reading.record.manifest);
    this.#report = { ...report, trial: false };
    this.#firmware('confirmed', `${version} has proven itself`, version);
    return true;
  }

  async #tellReports(flash: Flash): Promise<void> {
    const reports = keptReports(flash);
    for (const report of reports) await this.#publishEvent('boot', report);
    if (reports.length === 0) return;
    dropReports(flash, reports.length);
    this.#emit({ kind: 'stage', stage: 'reported', text: `told ${reports.length} reports of starts` });
  }

  async #recover(): Promise<void> {
    try {
      await this.update();
    } catch (error) {
      this.#firmware('failed', asFailure(error).message);
    }
  }

  #work(work: () => Promise<void>): void {
    this.#working = this.#working.then(work).catch((error: unknown) => {
      this.#emit({ kind: 'problem', failure: asFailure(error) });
    });
  }

  async #downloadOffered(): Promise<void> {
    try {
      await this.#dialogue?.notify(1, STATUS.ok);
      const found = await this.#download(this.#offered);
      await this.#dialogue?.notify(found ? 2 : 0, STATUS.ok);
    } catch (error) {
      const failure = asFailure(error);
      this.#firmware('failed', failure.message, this.#offered);
      const rejected = failure.code === 'firmware_rejected';
      await this.#dialogue?.notify(0, rejected ? STATUS.verificationFailed : STATUS.connectionLost);
    }
  }

  async #updateOffered(): Promise<void> {
    try {
      await this.#dialogue?.notify(2, STATUS.underWay);
      this.#install();
    } catch (error) {
      this.#firmware('failed', asFailure(error).message, this.#offered);
      return this.#dialogue?.notify(0, STATUS.verificationFailed);
    }
    await this.restart();
  }

  async #download(version: string | undefined): Promise<boolean> {
    const { flash, now, source = this.#pieces } = this.#options;
    if (!flash || !source) throw new Failure('invalid_request', 'This device has no flash for firmware.');
    const rom = this.#rom(flash);
    const running: Partial<BootReport> & { readonly trial: boolean } = this.#report ?? { trial: false };
    const found = await findUpdate({ flash, rom, source, running, now }, version);
    if (!found) {
      this.#firmware('up-to-date', 'there is nothing newer', running.version);
      return false;
    }
    const { manifest } = found;
    const text = `${manifest.version}, sequence ${manifest.sequence}`;
    this.#firmware('downloading', text, manifest.version, { received: 0, size: manifest.size });
    await downloadImage(
      {
        flash,
        source,
        onProgress: (received, size) => this.#firmware('downloading', text, manifest.version, { received, size }),
      },
      manifest,
    );
    this.#downloaded = found;
    this.#firmware('downloaded', `${text}: whole, signed, and its digest is right`, manifest.version);
    return true;
  }

  #install(): void {
    const { flash, now, source = this.#pieces } = this.#options;
    const downloaded = this.#downloaded;
    if (!flash || !source || !downloaded) throw new Failure('invalid_request', 'Nothing was downloaded.');
    const rom = this.#rom(flash);
    installImage({ flash, rom, source, running: this.#report ?? { trial: false }, now }, downloaded);
    this.#downloaded = undefined;
    const { version } = downloaded.manifest;
    this.#firmware('installed', `${version} lies in the other slot; restarting into it`, version);
  }

  async #command(topic: string, payload: Uint8Array): Promise<void> {
    const [, , name = '', , format = ''] = topic.split('/');
    if (name === UNLOCK_COMMAND) return;
    await this.#take({ name, format, payload });
  }

  async #take(came: CameAs): Promise<void> {
    const { name, format, payload } = came;
    const at = this.#at();
    const protection = this.#protection;
    if (!protection) {
      const why = 'this device takes every command that the policy lets through';
      return this.#emit({ kind: 'command', entry: { at, name, text: textOf(payload, format), valid: true, why } });
    }
    const verdict = await protection.judge(name, format, payload);
    await protection.answer(verdict, format, payload);
    if (verdict.outcome === 'valid') {
      this.#followed = came;
      const { application, sequence, content, sealed } = verdict.command;
      const why = `signed by ${application}, number ${sequence}${sealed ? ', sealed' : ''}`;
      return this.#emit({
        kind: 'command',
        entry: { at, name, text: textOf(content, verdict.command.format), valid: true, why },
      });
    }
    const reason = verdict.outcome === 'invalid' ? `${verdict.reason}: ` : '';
    const valid = verdict.outcome === 'introduced';
    this.#emit({
      kind: 'command',
      entry: { at, name, text: textOf(payload, format), valid, why: `${reason}${verdict.detail}` },
    });
  }

  async #publishEvent(name: string, value: unknown): Promise<void> {
    if (!this.#link) throw new Failure('connection_lost', 'The device is not connected.');
    await this.#link.publish(`iot-2/evt/${name}/fmt/json`, new TextEncoder().encode(JSON.stringify(value)), 1);
  }

  #rom(flash: Flash): Rom {
    const rom = readRom(flash);
    if (rom) return rom;
    throw new Failure('key_material_invalid', 'The device was never made: it has no ROM.');
  }

  #firmware(
    phase: FirmwarePhase,
    text: string,
    version?: string,
    bytes: { readonly received?: number; readonly size?: number } = {},
  ): void {
    const progress = { phase, text, ...bytes, ...(version === undefined ? {} : { version }) };
    this.#emit({ kind: 'firmware', progress });
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

function credentialOf(proof: SimulatedProof): { readonly username?: string; readonly password?: string } {
  switch (proof.by) {
    case 'token':
      return { username: 'use-token-auth', password: proof.token };
    case 'password':
      return { username: proof.username, password: proof.password };
    case 'certificate':
      return proof.token === undefined ? {} : { username: 'use-token-auth', password: proof.token };
  }
}

/** A command as it came. */
interface CameAs {
  readonly name: string;
  readonly format: string;
  readonly payload: Uint8Array;
}

/** Commands are shown, so they are kept short. */
const LONGEST_TEXT = 500;

function textOf(payload: Uint8Array, format: string): string {
  if (format !== 'json' && format !== 'text') return `${payload.length} bytes as ${format}`;
  return new TextDecoder().decode(payload.subarray(0, LONGEST_TEXT));
}

function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  return new Failure('internal', error instanceof Error ? error.message : String(error), { cause: error });
}
