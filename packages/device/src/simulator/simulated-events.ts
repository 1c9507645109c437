import type { Failure, UnlockStatus } from '@sallyport/model';
import type { BootReport, BootStep } from '../boot/boot-report.ts';
import type { LinkStage } from '../link-options.ts';
import type { Reading } from './reading.ts';

/** A command as the device met it. */
export interface MetCommand {
  /** ISO 8601. */
  readonly at: string;
  readonly name: string;
  /** What it says, as text. */
  readonly text: string;
  readonly valid: boolean;
  readonly why: string;
}

/** A reading that was sent, or was to be. */
export interface SentReading {
  readonly at: string;
  readonly reading: Reading;
  readonly sent: boolean;
  /** Why it was not. */
  readonly why?: string;
  /** What went over the network; absent where nothing could be made of it. */
  readonly wire?: readonly WirePayload[];
}

/** A payload as everybody on the way sees it. */
export interface WirePayload {
  /** Last level of the topic. */
  readonly format: string;
  readonly bytes: Uint8Array;
  /** Application that alone can open it; absent where it went in clear. */
  readonly sealedFor?: string;
}

export type FirmwarePhase =
  | 'offered'
  | 'downloading'
  | 'downloaded'
  | 'installed'
  | 'on-trial'
  | 'confirmed'
  | 'unhealthy'
  | 'up-to-date'
  | 'failed';

/** How an update stands. */
export interface FirmwareProgress {
  readonly phase: FirmwarePhase;
  readonly version?: string;
  readonly received?: number;
  readonly size?: number;
  readonly text: string;
}

/** Everything that happens to a simulated device, for a terminal or a page to show. */
export type SimulatedEvent =
  | { readonly kind: 'stage'; readonly stage: LinkStage | 'subscribed' | 'reported'; readonly text: string }
  | { readonly kind: 'connection'; readonly state: SimulatedState['connection']; readonly text: string }
  | { readonly kind: 'boot-step'; readonly step: BootStep }
  | { readonly kind: 'booted'; readonly report: BootReport }
  | { readonly kind: 'sent'; readonly entry: SentReading }
  | { readonly kind: 'command'; readonly entry: MetCommand }
  | { readonly kind: 'unlock'; readonly status: UnlockStatus; readonly at: string }
  | { readonly kind: 'firmware'; readonly progress: FirmwareProgress }
  | {
      readonly kind: 'certificate';
      /** `renewed`: there is another one; `changed`: it is in use; `returned`: the one before is in use again. */
      readonly phase: 'renewed' | 'changed' | 'returned';
      readonly text: string;
    }
  | { readonly kind: 'problem'; readonly failure: Failure };

/** What can be seen of a simulated device at a moment. */
export interface SimulatedState {
  readonly connection: 'off' | 'connecting' | 'online' | 'offline' | 'refused';
  readonly boot?: BootReport;
  readonly firmware?: FirmwareProgress;
  /** What last became of its certificate, since it was switched on. */
  readonly certificate?: string;
  /** How its one-time code stands, and when that was told; absent where none is owed. */
  readonly unlock?: UnlockStatus & { readonly at: string };
  /** The last of each, newest last. */
  readonly sent: readonly SentReading[];
  readonly commands: readonly MetCommand[];
}

/** Rows that are kept to be shown. */
const MOST_ROWS = 100;

/** The state after an event. */
export function afterEvent(state: SimulatedState, event: SimulatedEvent): SimulatedState {
  switch (event.kind) {
    case 'connection':
      return { ...state, connection: event.state };
    case 'booted':
      return { ...state, boot: event.report };
    case 'unlock':
      return { ...state, unlock: { ...event.status, at: event.at } };
    case 'firmware':
      return {
        ...state,
        firmware: event.progress,
        ...(event.progress.phase === 'confirmed' && state.boot && { boot: { ...state.boot, trial: false } }),
      };
    case 'certificate':
      return { ...state, certificate: event.text };
    case 'sent':
      return { ...state, sent: [...state.sent, event.entry].slice(-MOST_ROWS) };
    case 'command':
      return { ...state, commands: [...state.commands, event.entry].slice(-MOST_ROWS) };
    default:
      return state;
  }
}
