import type { ReplayMemory } from '@sallyport/trust';
import type { KeyRing, KeyRingState } from './key-ring.ts';
import type { SealDesk, SealedMemory } from './seal-desk.ts';
import type { DeviceStore } from './sealed-store.ts';

/** What a guard remembers over a restart; plain JSON. */
export interface GuardState {
  readonly ring: KeyRingState;
  /** Written form of the application that was taken on first use. */
  readonly firstUsed?: string;
  /** By id of the key: the sequence numbers of the commands that were followed. */
  readonly commands: Readonly<Record<string, ReplayMemory>>;
  readonly sealed: SealedMemory;
}

const EMPTY: GuardState = { ring: { keys: [], revoked: [] }, commands: {}, sealed: {} };

/** What was written last; a fresh state if nothing was. Fails as the store does: a damaged memory is not an empty one. */
export async function recallState(store: DeviceStore): Promise<GuardState> {
  return { ...EMPTY, ...((await store.read()) as Partial<GuardState> | undefined) };
}

/** The memory of a guard while it runs. Every change is on disk before it is acted upon. */
export class GuardMemory {
  readonly #store: DeviceStore;
  readonly #ring: KeyRing;
  readonly #desk: SealDesk | undefined;
  #commands: Record<string, ReplayMemory>;
  #firstUsed: string | undefined;

  constructor(store: DeviceStore, state: GuardState, ring: KeyRing, desk: SealDesk | undefined) {
    this.#store = store;
    this.#ring = ring;
    this.#desk = desk;
    this.#commands = { ...state.commands };
    this.#firstUsed = state.firstUsed;
  }

  get firstUsed(): string | undefined {
    return this.#firstUsed;
  }

  commandsOf(keyId: string): ReplayMemory | undefined {
    return this.#commands[keyId];
  }

  /** Takes an application as the one of first use, if there is none yet. */
  takeFirst(application: string): void {
    this.#firstUsed ??= application;
  }

  followed(keyId: string, memory: ReplayMemory): void {
    this.#commands[keyId] = memory;
  }

  /** True if all of it is safe. */
  async save(): Promise<boolean> {
    const ring = this.#ring.state;
    // Keys that are gone cannot sign again; their numbers need no memory.
    for (const keyId of Object.keys(this.#commands)) {
      if (!ring.keys.some((key) => key.keyId === keyId)) delete this.#commands[keyId];
    }
    try {
      const firstUsed = this.#firstUsed;
      await this.#store.write({
        ring,
        ...(firstUsed === undefined ? {} : { firstUsed }),
        commands: this.#commands,
        sealed: this.#desk?.memory ?? {},
      } satisfies GuardState);
      return true;
    } catch {
      return false;
    }
  }
}
