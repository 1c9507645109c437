import type { Slot } from './slot.ts';

/** The links of the chain, in order; each verifies the next. */
export const BOOT_STAGES = ['rom', 'bootloader', 'image', 'configuration'] as const;
export type BootStage = (typeof BOOT_STAGES)[number];

/** Why a link did not hold. */
export type BootReason =
  | 'missing'
  | 'malformed'
  | 'digest_differs'
  | 'under_signed'
  | 'expired'
  | 'not_listed'
  | 'wrong_type'
  | 'version_too_old'
  | 'slot_swapped'
  | 'record_changed'
  | 'counter_changed'
  | 'configuration_changed'
  | 'health_check_failed';

/** One link as it was tried. */
export interface BootStep {
  readonly stage: BootStage;
  readonly slot?: Slot;
  readonly held: boolean;
  readonly reason?: BootReason;
  /** One sentence. */
  readonly text: string;
}

/** How a start went. `rolled-back`: it runs, but not what was to run. */
export interface BootReport {
  readonly outcome: 'booted' | 'rolled-back' | 'stopped';
  /** ISO 8601. */
  readonly at: string;
  readonly slot?: Slot;
  readonly version?: string;
  readonly sequence?: number;
  /** It runs on trial: until {@link confirmBoot} the next starts count against it. */
  readonly trial: boolean;
  /** The link that did not hold, if one did not. */
  readonly stage?: BootStage;
  readonly reason?: BootReason;
  readonly text?: string;
  readonly steps: readonly BootStep[];
}

/** The same as the device tells it on the event `boot`: flat, without the steps. */
export function bootEvent({ steps: _, ...report }: BootReport): Readonly<Record<string, string | number | boolean>> {
  return report;
}
