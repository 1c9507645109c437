import type { FirmwareManifest } from '@sallyport/trust/firmware';
import type { Flash } from './flash.ts';
import { opened, type Rom, type Sealed, sealed } from './rom.ts';

/** The two places for an image: one runs, the other takes the next. */
export type Slot = 'a' | 'b';

/** What a slot says of its image, and what it proves it with. */
export interface SlotRecord {
  readonly slot: Slot;
  readonly manifest: FirmwareManifest;
  /** Root roles that follow on the pinned one, oldest first. */
  readonly roots: readonly string[];
  /** The signed targets role that lists the image. */
  readonly targets: string;
}

export function otherSlot(slot: Slot): Slot {
  return slot === 'a' ? 'b' : 'a';
}

export function imageFile(slot: Slot): string {
  return `slots/${slot}/image.bin`;
}

function recordFile(slot: Slot): string {
  return `slots/${slot}/record.json`;
}

/** Puts an image into a slot. The record goes first and comes last: while it is away the slot is empty. */
export function fillSlot(flash: Flash, rom: Rom, record: SlotRecord, imageFrom: string): void {
  flash.remove(recordFile(record.slot));
  flash.copy(imageFrom, imageFile(record.slot));
  writeRecord(flash, rom, record);
}

export function writeRecord(flash: Flash, { secret }: Rom, record: SlotRecord): void {
  flash.writeJson(recordFile(record.slot), sealed(secret, `slot ${record.slot}`, record));
}

export type SlotReading =
  | { readonly found: 'record'; readonly record: SlotRecord }
  | { readonly found: 'nothing' | 'changed' | 'swapped' };

/** The record of a slot, if this device wrote it for this slot. */
export function readSlot(flash: Flash, { secret }: Rom, slot: Slot): SlotReading {
  if (flash.read(recordFile(slot)) === undefined) return { found: 'nothing' };
  const stored = flash.readJson<Sealed<SlotRecord>>(recordFile(slot));
  const record = opened(secret, `slot ${slot}`, stored);
  if (record) return { found: 'record', record };
  return { found: opened(secret, `slot ${otherSlot(slot)}`, stored) ? 'swapped' : 'changed' };
}
