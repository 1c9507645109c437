import {
  type FirmwareManifest,
  nextRoot,
  type RoleProblem,
  readTargets,
  sameManifest,
  type VerifiedRoot,
} from '@sallyport/trust/firmware';
import type { BootReason } from './boot-report.ts';
import type { Flash } from './flash.ts';
import { type Rom, readCounter } from './rom.ts';
import { imageFile, readSlot, type Slot, type SlotRecord } from './slot.ts';

export type SlotVerification =
  | { readonly ok: true; readonly manifest: FirmwareManifest; readonly record: SlotRecord }
  | { readonly ok: false; readonly reason: BootReason; readonly text: string };

const REASON_OF_ROLE: Readonly<Record<RoleProblem, BootReason>> = {
  malformed: 'malformed',
  wrong_role: 'malformed',
  under_signed: 'under_signed',
  expired: 'expired',
  too_old: 'version_too_old',
};

const UNREADABLE = {
  nothing: (slot: Slot) => no('missing', `Slot ${slot} holds no image.`),
  swapped: (slot: Slot) => no('slot_swapped', `What lies in slot ${slot} was written for the other slot.`),
  changed: (slot: Slot) => no('record_changed', `The record of slot ${slot} was not written by this device.`),
};

/**
 * What the bootloader does before it hands over to an image: whose record, for which type, signed by whom, until when, new enough, and is it
 * the image that was signed? `now` in milliseconds since the epoch.
 */
export function verifySlot(flash: Flash, rom: Rom, slot: Slot, now: number): SlotVerification {
  const reading = readSlot(flash, rom, slot);
  if (reading.found !== 'record') return UNREADABLE[reading.found](slot);
  const { record } = reading;
  const { manifest } = record;
  if (manifest.type !== rom.type) {
    return no('wrong_type', `The image is for the type ${manifest.type}; this device is of the type ${rom.type}.`);
  }
  const root = followRoots(rom.root, record.roots);
  if ('reason' in root) return root;
  const targets = readTargets(root.root, Buffer.from(record.targets), now);
  if (!targets.ok) return no(REASON_OF_ROLE[targets.problem], `${targets.text}.`);
  if (!targets.value.manifests.some((one) => sameManifest(one, manifest))) {
    return no('not_listed', `The image ${manifest.version} is not among those that the targets role has signed.`);
  }
  const counter = readCounter(flash, rom);
  if (counter === undefined)
    return no('counter_changed', 'The counter against older images was taken away or changed.');
  if (manifest.sequence < counter) {
    return no(
      'version_too_old',
      `The image has sequence ${manifest.sequence}; nothing below ${counter} starts any more.`,
    );
  }
  const size = flash.size(imageFile(slot));
  if (size !== manifest.size) return no('digest_differs', `The image has ${size} bytes; ${manifest.size} were signed.`);
  const digest = flash.digest(imageFile(slot));
  if (digest !== manifest.digest) {
    return no(
      'digest_differs',
      `The image has the digest ${digest?.slice(0, 16)}…; ${manifest.digest.slice(0, 16)}… was signed.`,
    );
  }
  return { ok: true, manifest, record };
}

/** From the pinned root to the newest, each signed by the one before. */
export function followRoots(
  pinned: VerifiedRoot,
  roots: readonly string[],
): { readonly root: VerifiedRoot } | Extract<SlotVerification, { ok: false }> {
  let root = pinned;
  for (const text of roots) {
    const next = nextRoot(root, Buffer.from(text));
    if (!next.ok) return no(REASON_OF_ROLE[next.problem], `${next.text}.`);
    root = next.value;
  }
  return { root };
}

function no(reason: BootReason, text: string): Extract<SlotVerification, { ok: false }> {
  return { ok: false, reason, text };
}
