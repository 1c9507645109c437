import { type Parsed, parsed, parseTypeId, unparsed } from '@sallyport/model';

/** What a firmware image says of itself. It travels inside the signed `targets` role, so that it is worth what the role is worth. */
export interface FirmwareManifest {
  /** Device type that the image is for. */
  readonly type: string;
  /** For people; devices compare `sequence`. */
  readonly version: string;
  /** SHA-256 of the image, lower-case hexadecimal. */
  readonly digest: string;
  /** Bytes of the image. */
  readonly size: number;
  /** Grows with each release of a type; a device takes only what is newer. */
  readonly sequence: number;
  /** Once this image has proven itself, no image with a smaller sequence starts again on the device. */
  readonly minimumSequence: number;
  /** The device is to have a new certificate issued, in use once this image has proven itself. */
  readonly renewCertificate?: true;
}

const VERSION = /^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$/;
const DIGEST = /^[0-9a-f]{64}$/;
const KEYS = ['type', 'version', 'digest', 'size', 'sequence', 'minimumSequence', 'renewCertificate'];

/** Reads the version of a release: 1 to 64 letters, digits and `. _ + -`; not `..`, so that it can name a file. */
export function parseFirmwareVersion(text: string): Parsed<string> {
  if (!VERSION.test(text) || text.includes('..')) {
    return unparsed('a firmware version has 1 to 64 letters, digits and . _ + -, and begins with a letter or digit');
  }
  return parsed(text);
}

/** Reads a manifest strictly: every key but `renewCertificate`, no other one, and numbers that a counter can hold. */
export function parseManifest(value: unknown): Parsed<FirmwareManifest> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return unparsed('a manifest is an object');
  const given = value as Record<string, unknown>;
  const stranger = Object.keys(given).find((key) => !KEYS.includes(key));
  if (stranger !== undefined) return unparsed(`a manifest has no key "${stranger}"`);
  const { type, version, digest, size, sequence, minimumSequence, renewCertificate } = given;
  if (typeof type !== 'string' || !parseTypeId(type).ok) return unparsed('type is no device type');
  if (typeof version !== 'string' || !parseFirmwareVersion(version).ok) return unparsed('version is no version');
  if (typeof digest !== 'string' || !DIGEST.test(digest))
    return unparsed('digest is no SHA-256 in lower-case hexadecimal');
  if (!isCounter(size) || size === 0) return unparsed('size is no number of bytes');
  if (!isCounter(sequence) || sequence === 0) return unparsed('sequence is no whole number above 0');
  if (!isCounter(minimumSequence)) return unparsed('minimumSequence is no whole number');
  if (minimumSequence > sequence) return unparsed('minimumSequence is above sequence: the image would forbid itself');
  if (renewCertificate !== undefined && renewCertificate !== true)
    return unparsed('renewCertificate is true or absent');
  const manifest = { type, version, digest, size, sequence, minimumSequence };
  return parsed(renewCertificate ? { ...manifest, renewCertificate } : manifest);
}

/** Whether two manifests say the same. */
export function sameManifest(a: FirmwareManifest, b: FirmwareManifest): boolean {
  return (KEYS as (keyof FirmwareManifest)[]).every((key) => a[key] === b[key]);
}

/** Path of an image among the targets of its repository, before the digest is put in front of the file name. */
export function targetPathOf({ type, version }: Pick<FirmwareManifest, 'type' | 'version'>): string {
  return `${type}/${version}.bin`;
}

/** Path under which the repository keeps it (`consistent_snapshot`, TUF section 7): one that can never hold anything else. */
export function storedPathOf({ type, version, digest }: Pick<FirmwareManifest, 'type' | 'version' | 'digest'>): string {
  return `${type}/${digest}.${version}.bin`;
}

function isCounter(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
