import type { PageConnection } from './desk-document.ts';
import type { TraceStep } from './refusal.ts';

/** What the page of a simulated device shows: the whole state, sent anew whenever it has changed. Times in milliseconds since the epoch. */
export interface SimulatorDocument {
  readonly connection: SimulatorConnection;
  /** Ways to prove who it is; `chosen` is the one in use, or used next. */
  readonly proofs: readonly SimulatorProof[];
  readonly chosen: string;
  /** What happened on the way to the server, in its order, since it was last started. */
  readonly stages: readonly SimulatorStage[];
  readonly boot?: SimulatorBoot;
  readonly firmware?: SimulatorFirmware;
  /** What last became of its certificate. */
  readonly certificate?: string;
  readonly unlock?: SimulatorUnlock;
  /** Applications whose commands it takes, as it has pinned them. */
  readonly pinned?: readonly string[];
  /** Newest first, bounded. */
  readonly readings: readonly SimulatorReading[];
  /** Newest first, bounded. */
  readonly commands: readonly SimulatorCommand[];
  readonly misdeeds: readonly SimulatorMisdeed[];
  /** The last reading, as it was meant and as it went over the network. */
  readonly payload?: SimulatorPayload;
  /** Whether readings are sealed; absent where the device has no keys for it. */
  readonly sealing?: { readonly for: readonly string[]; readonly on: boolean };
  /** How the last misdeed ended. */
  readonly misdeed?: SimulatorMisdeedOutcome;
}

export interface SimulatorConnection extends Omit<PageConnection, 'state'> {
  readonly state: PageConnection['state'] | 'off' | 'refused';
}

export interface SimulatorProof {
  readonly id: string;
  readonly name: string;
  /** What it is made of, or why this device does not have it. */
  readonly meaning: string;
  readonly available: boolean;
  /** What the person has to type. */
  readonly fields: readonly ('username' | 'password')[];
}

export interface SimulatorStage {
  readonly at: number;
  readonly stage: string;
  readonly text: string;
}

export interface SimulatorBoot {
  readonly outcome: 'booted' | 'rolled-back' | 'stopped';
  readonly slot?: string;
  readonly version?: string;
  readonly sequence?: number;
  readonly trial: boolean;
  readonly text?: string;
  readonly steps: readonly { readonly stage: string; readonly held: boolean; readonly text: string }[];
}

export interface SimulatorFirmware {
  readonly phase: string;
  readonly version?: string;
  readonly received?: number;
  readonly size?: number;
  readonly text: string;
}

export interface SimulatorUnlock {
  readonly state: 'locked' | 'waiting' | 'open' | 'failed';
  readonly text: string;
  readonly attemptsLeft?: number;
  /** When the code ends. */
  readonly until?: number;
}

export interface SimulatorReading {
  readonly number: number;
  readonly at: number;
  readonly acceleration: number;
  readonly motion: string;
  readonly latitude: number;
  readonly longitude: number;
  readonly sent: boolean;
  /** Why it was not sent. */
  readonly why?: string;
}

export interface SimulatorCommand {
  readonly number: number;
  readonly at: number;
  readonly name: string;
  readonly text: string;
  readonly valid: boolean;
  readonly why: string;
}

export interface SimulatorPayload {
  readonly at: number;
  /** JSON. */
  readonly clear: string;
  readonly wire: readonly {
    /** Last level of the topic. */
    readonly format: string;
    /** Bytes. */
    readonly size: number;
    /** JSON as it is, sealed bytes in hexadecimal; shortened. */
    readonly text: string;
    /** Application that alone can open it; absent where it went in clear. */
    readonly sealedFor?: string;
  }[];
}

export interface SimulatorMisdeedOutcome {
  readonly name: string;
  readonly outcome: string;
  readonly cure?: string;
  /** Why the server refused it, where it could be asked. */
  readonly refusal?: SimulatorRefusal;
}

/** What `sallyport explain` says of a ticket. */
export interface SimulatorRefusal {
  readonly ticket: string;
  /** Who was refused what. */
  readonly what: string;
  readonly meaning: string;
  readonly steps: readonly TraceStep[];
  readonly cure: string;
}

/** Something that the device can be made to do and that must be refused. */
export interface SimulatorMisdeed {
  readonly id: string;
  readonly name: string;
  readonly meaning: string;
}
