import { type FirmwareManifest, sameManifest, storedPathOf } from '@sallyport/trust/firmware';
import { tryNext } from '../boot/boot.ts';
import type { BootReport } from '../boot/boot-report.ts';
import type { Flash } from '../boot/flash.ts';
import { type Rom, readCounter } from '../boot/rom.ts';
import { fillSlot, otherSlot, readSlot, writeRecord } from '../boot/slot.ts';
import type { FirmwareSource } from './firmware-source.ts';
import { type Offer, refreshRoles, rejected } from './trusted-roles.ts';

const DOWNLOAD = 'download/image.bin';
const WHAT = 'download/manifest.json';
/** Starts that a new image has to prove itself. */
const TRIES = 2;

export interface UpdateOptions {
  readonly flash: Flash;
  readonly rom: Rom;
  readonly source: FirmwareSource;
  /** How the device started: an image on trial does not install another one. */
  readonly running: Pick<BootReport, 'slot' | 'sequence' | 'trial'>;
  readonly now: () => number;
  /** Bytes that are there, of how many. */
  readonly onProgress?: (received: number, size: number) => void;
}

/** An image that is on the device, whole and verified, and not installed yet. */
export interface Downloaded {
  readonly manifest: FirmwareManifest;
  readonly offer: Offer;
}

/**
 * Finds the image of a version, or the newest, among what the repository offers for this type. Undefined if there is nothing newer.
 *
 * @throws Failure `firmware_rejected` if the version that was asked for is not offered, is for another type, or is older than what runs
 */
export async function findUpdate(
  { flash, rom, source, running, now }: Omit<UpdateOptions, 'onProgress'>,
  version?: string,
): Promise<Downloaded | undefined> {
  const offer = await refreshRoles(flash, rom, source, now());
  renewEvidence(flash, rom, offer);
  const own = offer.manifests.filter(({ type }) => type === rom.type);
  const manifest =
    version === undefined
      ? [...own].sort((a, b) => b.sequence - a.sequence)[0]
      : own.find((one) => one.version === version);
  if (!manifest) {
    if (version === undefined) return undefined;
    const elsewhere = offer.manifests.find((one) => one.version === version);
    throw rejected(
      elsewhere
        ? `The image ${version} is for the type ${elsewhere.type}; this device is of the type ${rom.type}.`
        : `The repository does not offer an image ${version} for the type ${rom.type}.`,
    );
  }
  const counter = readCounter(flash, rom);
  const least = Math.max(counter ?? Number.POSITIVE_INFINITY, (running.sequence ?? 0) + 1);
  if (manifest.sequence >= least) return { manifest, offer };
  if (version === undefined || manifest.sequence === running.sequence) return undefined;
  throw rejected(
    `The image ${version} has sequence ${manifest.sequence}; this device takes nothing below ${least}: an older image may have known holes.`,
  );
}

/**
 * Brings the bytes of an image here, from where an earlier attempt ended, and verifies them.
 *
 * @throws Failure `firmware_rejected` if they are not the bytes that were signed; the failures of the source
 */
export async function downloadImage(
  { flash, source, onProgress = () => {} }: Pick<UpdateOptions, 'flash' | 'source' | 'onProgress'>,
  manifest: FirmwareManifest,
): Promise<void> {
  const begun = flash.readJson<FirmwareManifest>(WHAT);
  if (begun?.digest !== manifest.digest || flash.size(DOWNLOAD) > manifest.size) {
    flash.remove(DOWNLOAD);
    flash.writeJson(WHAT, manifest);
  }
  let received = flash.size(DOWNLOAD);
  if (received < manifest.size) {
    const bytes = await source.read(`targets/${storedPathOf(manifest)}`, received);
    if (!bytes) throw rejected(`The image ${manifest.version} is signed, but the repository does not have it.`);
    for await (const chunk of bytes) {
      // A server that sends more than was signed must not fill the device.
      if (received + chunk.length > manifest.size) {
        flash.remove(DOWNLOAD);
        throw rejected(`More bytes came than the ${manifest.size} that were signed.`);
      }
      flash.append(DOWNLOAD, chunk);
      received += chunk.length;
      onProgress(received, manifest.size);
    }
  }
  if (received === manifest.size && flash.digest(DOWNLOAD) === manifest.digest) return;
  if (received === manifest.size) flash.remove(DOWNLOAD);
  throw rejected(
    received === manifest.size
      ? `The image ${manifest.version} does not have the digest that was signed.`
      : `Only ${received} of ${manifest.size} bytes came.`,
  );
}

/**
 * Puts a verified image into the slot that does not run, and lets the next start try it.
 *
 * @throws Failure `firmware_rejected` if the download is not what was signed, or the running image is itself on trial
 */
export function installImage({ flash, rom, running }: UpdateOptions, { manifest, offer }: Downloaded): void {
  if (running.trial) throw rejected('The running image is on trial; it has to prove itself first.');
  if (flash.digest(DOWNLOAD) !== manifest.digest) throw rejected('The download is not the image that was signed.');
  const slot = running.slot === undefined ? 'a' : otherSlot(running.slot);
  fillSlot(flash, rom, { slot, manifest, roots: offer.roles.roots, targets: offer.roles.targets }, DOWNLOAD);
  tryNext(flash, slot, TRIES);
  flash.remove(WHAT);
  flash.remove(DOWNLOAD);
}

/** What is installed and still offered gets the newer signatures, so that a device that keeps in touch does not outlive them. */
function renewEvidence(flash: Flash, rom: Rom, { roles, manifests }: Offer): void {
  for (const slot of ['a', 'b'] as const) {
    const reading = readSlot(flash, rom, slot);
    if (reading.found !== 'record' || reading.record.targets === roles.targets) continue;
    const { manifest } = reading.record;
    const listed = manifests.some((one) => sameManifest(one, manifest));
    if (listed) writeRecord(flash, rom, { slot, manifest, roots: roles.roots, targets: roles.targets });
  }
}
