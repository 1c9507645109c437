import type { Flash } from './flash.ts';
import type { Slot } from './slot.ts';

const FILE = 'boot-state.json';

/** Which slot runs, and which one is being tried. */
export interface BootState {
  readonly active: Slot;
  readonly trial?: {
    readonly slot: Slot;
    /** Starts that are left to it before the device goes back. */
    readonly tries: number;
  };
}

/** Undefined if there is none that can be read: then the newest image that verifies runs. */
export function readBootState(flash: Flash): BootState | undefined {
  const state = flash.readJson<BootState>(FILE);
  const isSlot = (slot: unknown) => slot === 'a' || slot === 'b';
  if (!isSlot(state?.active)) return undefined;
  if (state?.trial && (!isSlot(state.trial.slot) || !Number.isInteger(state.trial.tries))) return undefined;
  return state;
}

/** The one switch: it is renamed into place, so that it points to one slot or the other. */
export function writeBootState(flash: Flash, state: BootState): void {
  flash.writeJson(FILE, state);
}
