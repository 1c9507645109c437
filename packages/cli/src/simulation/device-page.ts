import type {
  SimulatedDevice,
  SimulatedDeviceOptions,
  SimulatedEvent,
  SimulatedProof,
} from '@sallyport/device/simulator';
import {
  Failure,
  type SimulatorCommand,
  type SimulatorConnection,
  type SimulatorDocument,
  type SimulatorMisdeed,
  type SimulatorMisdeedOutcome,
  type SimulatorPayload,
  type SimulatorProof,
  type SimulatorReading,
  type SimulatorStage,
} from '@sallyport/model';
import { Newest } from '../desk/newest.ts';
import { payloadShown } from './payload-shown.ts';
import { UnlockPrompt } from './unlock-prompt.ts';

const ROWS = 100;
const STAGES = 40;

/** A way to prove who the device is, offered on the page. */
export interface OfferedProof extends SimulatorProof {
  readonly make: (written: { readonly username: string; readonly password: string }) => SimulatedProof;
}

/** Something wrong that the device does. It is switched off meanwhile: both have one client id. */
export interface OfferedMisdeed extends SimulatorMisdeed {
  /** What came of it, as a person reads it. */
  readonly run: () => Promise<Omit<SimulatorMisdeedOutcome, 'name'>>;
}

/** Something wrong that is done to the device as it runs. */
export interface OfferedTrial extends SimulatorMisdeed {
  readonly asItRuns: true;
  readonly run: (device: SimulatedDevice) => Promise<Omit<SimulatorMisdeedOutcome, 'name'>>;
}

export interface DevicePageOptions {
  readonly clientId: string;
  /** Host and port, for people. */
  readonly server: string;
  readonly proofs: readonly OfferedProof[];
  readonly misdeeds: readonly (OfferedMisdeed | OfferedTrial)[];
  readonly build: (
    proof: SimulatedProof,
    enterCode: NonNullable<SimulatedDeviceOptions['enterCode']>,
  ) => SimulatedDevice;
  /** Applications whose signed commands it follows; undefined: it takes every command. */
  readonly follows: readonly string[] | undefined;
  /** Applications for which it can seal its readings; undefined: it has no keys for that. */
  readonly sealsFor?: readonly string[] | undefined;
  readonly now: () => number;
  /** Told after each change of the document. */
  readonly changed: () => void;
}

/** The program behind the page of a simulated device: starts and stops it, and keeps what the page shows. */
export class DevicePage {
  readonly #options: DevicePageOptions;
  readonly #readings = new Newest<SimulatorReading>(ROWS);
  readonly #commands = new Newest<SimulatorCommand>(ROWS);
  readonly #prompt = new UnlockPrompt();
  #stages: readonly SimulatorStage[] = [];
  #connection: SimulatorConnection;
  #chosen: string;
  #device: SimulatedDevice | undefined;
  /** As it was last on: what it started from is shown while it is off. */
  #last: SimulatedDevice | undefined;
  #misdeed: SimulatorDocument['misdeed'];
  #payload: SimulatorPayload | undefined;
  #seals = true;
  #busy = false;
  #number = 0;

  constructor(options: DevicePageOptions) {
    this.#options = options;
    const { clientId, server, proofs, now } = options;
    this.#connection = { state: 'off', clientId, server, since: now() };
    const offered = proofs.filter(({ available }) => available);
    // What the device has by itself comes before what somebody would have to type.
    this.#chosen = (offered.find(({ fields }) => fields.length === 0) ?? offered[0])?.id ?? '';
  }

  document(): SimulatorDocument {
    const { proofs, misdeeds } = this.#options;
    const state = this.#last?.state;
    const unlock = this.#device?.state.unlock;
    const { follows, sealsFor } = this.#options;
    return {
      connection: this.#connection,
      proofs: proofs.map(({ id, name, meaning, available, fields }) => ({ id, name, meaning, available, fields })),
      chosen: this.#chosen,
      stages: this.#stages,
      readings: this.#readings.items,
      commands: this.#commands.items,
      misdeeds: misdeeds.map(({ id, name, meaning }) => ({ id, name, meaning })),
      ...(state?.boot === undefined ? {} : { boot: state.boot }),
      ...(state?.firmware === undefined ? {} : { firmware: state.firmware }),
      ...(state?.certificate === undefined ? {} : { certificate: state.certificate }),
      ...(unlock === undefined ? {} : { unlock: this.#prompt.show(unlock) }),
      ...(follows === undefined ? {} : { pinned: follows }),
      ...(this.#payload === undefined ? {} : { payload: this.#payload }),
      ...(sealsFor === undefined ? {} : { sealing: { for: sealsFor, on: this.#seals } }),
      ...(this.#misdeed === undefined ? {} : { misdeed: this.#misdeed }),
    };
  }

  /**
   * Switches the device on. Resolves at once; what becomes of it is in the document.
   *
   * @throws Failure `invalid_request`
   */
  start(request: unknown): void {
    const fields = new Map(Object.entries(typeof request === 'object' && request !== null ? request : {}));
    const text = (name: string): string => {
      const value: unknown = fields.get(name);
      return typeof value === 'string' ? value : '';
    };
    const chosen = this.#options.proofs.find(({ id }) => id === text('proof'));
    if (chosen === undefined || !chosen.available) {
      throw new Failure('invalid_request', 'The device has no such proof.', {
        cure: 'Choose one of those on the page.',
      });
    }
    if (this.#device !== undefined) throw new Failure('invalid_request', 'The device is on already.');
    this.#chosen = chosen.id;
    this.#switchOn(chosen, { username: text('username'), password: text('password') });
  }

  /** Switches the device off. */
  async stop(): Promise<void> {
    const device = this.#device;
    this.#device = undefined;
    this.#prompt.giveUp();
    await device?.stop();
    this.#stand('off');
  }

  /**
   * Seals readings from now on, or lets them go in clear.
   *
   * @throws Failure `invalid_request`
   */
  seal(request: unknown): void {
    const { on } = (request ?? {}) as { readonly on?: unknown };
    if (typeof on !== 'boolean' || this.#options.sealsFor === undefined) {
      throw new Failure('invalid_request', 'This device cannot seal its readings.', {
        cure: 'Start it with --identity FILE --seal-for APPLICATION.',
      });
    }
    this.#seals = on;
    if (this.#device) this.#device.seals = on;
    this.#options.changed();
  }

  /** @throws Failure `invalid_request` if nobody asked for a code */
  unlock(request: unknown): void {
    const { code } = (request ?? {}) as { readonly code?: unknown };
    this.#prompt.enter(typeof code === 'string' ? code.trim() : '');
  }

  /**
   * Does something wrong.
   *
   * @throws Failure `invalid_request`
   */
  async misbehave(request: unknown): Promise<void> {
    const { id } = (request ?? {}) as { readonly id?: unknown };
    const misdeed = this.#options.misdeeds.find((one) => one.id === id);
    if (misdeed === undefined) throw new Failure('invalid_request', 'The device knows no such misdeed.');
    if (this.#busy) throw new Failure('invalid_request', 'It misbehaves already.', { cure: 'Wait until it is done.' });
    const device = this.#device;
    if ('asItRuns' in misdeed && device === undefined) {
      throw new Failure('invalid_request', 'This needs the device running.', { cure: 'Start it first.' });
    }
    this.#busy = true;
    try {
      if ('asItRuns' in misdeed) {
        if (device) this.#misdeed = { name: misdeed.name, ...(await misdeed.run(device)) };
        return;
      }
      await device?.stop();
      this.#misdeed = { name: misdeed.name, ...(await misdeed.run()) };
    } finally {
      this.#busy = false;
      this.#options.changed();
      if (device !== undefined && !('asItRuns' in misdeed)) {
        this.#device = undefined;
        this.#stand('off', { problem: 'It was switched off to misbehave.', cure: 'Start it again.' });
      }
    }
  }

  #switchOn(chosen: OfferedProof, written: { readonly username: string; readonly password: string }): void {
    const { build } = this.#options;
    this.#prompt.giveUp();
    this.#stages = [];
    const device = build(chosen.make(written), this.#prompt.ask);
    device.seals = this.#seals;
    this.#device = device;
    this.#last = device;
    device.on((event) => {
      if (device === this.#device) this.#hear(event);
    });
    device.start().catch((error: unknown) => {
      if (device !== this.#device) return;
      this.#device = undefined;
      this.#prompt.giveUp();
      const failure = error instanceof Failure ? error : new Failure('internal', String(error), { cause: error });
      this.#stand('refused', { problem: failure.message, cure: failure.cure });
      device.stop().catch(() => {});
    });
  }

  #hear(event: SimulatedEvent): void {
    const at = this.#options.now();
    switch (event.kind) {
      case 'stage':
        this.#stages = [...this.#stages, { at, stage: event.stage, text: event.text }].slice(-STAGES);
        break;
      case 'connection':
        this.#stand(event.state, event.state === 'refused' ? { problem: event.text } : {});
        break;
      case 'sent': {
        const { reading, sent, why, wire } = event.entry;
        if (wire) this.#payload = payloadShown(at, reading, wire);
        const { acceleration, motion, position } = reading;
        const row = { number: ++this.#number, at, acceleration, motion, ...position, sent };
        this.#readings.add(why === undefined ? row : { ...row, why });
        break;
      }
      case 'command': {
        const { name, text, valid, why } = event.entry;
        this.#commands.add({ number: ++this.#number, at, name, text, valid, why });
        break;
      }
      case 'problem':
        this.#stand(this.#connection.state, { problem: event.failure.message, cure: event.failure.cure });
        break;
      case 'unlock':
      case 'boot-step':
      case 'booted':
      case 'firmware':
      case 'certificate':
        break;
    }
    this.#options.changed();
  }

  #stand(state: SimulatorConnection['state'], why: { readonly problem?: string; readonly cure?: string } = {}): void {
    const { clientId, server, now, changed } = this.#options;
    this.#connection = { state, clientId, server, since: now(), ...why };
    changed();
  }
}
