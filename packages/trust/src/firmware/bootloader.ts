import { createHash, createPublicKey, verify } from 'node:crypto';
import type { RoleKey } from './role-key.ts';
import type { RoleHolders } from './role-metadata.ts';

const FORMAT = 'sallyport-bootloader-1';

/** What the root role says of a bootloader. It does not expire: a device must start without a clock that can be trusted. */
export interface BootloaderStatement {
  readonly format: typeof FORMAT;
  readonly version: number;
  /** SHA-256, lower-case hexadecimal. */
  readonly digest: string;
}

interface SignedBootloader {
  readonly signed: BootloaderStatement;
  readonly signatures: readonly { readonly keyid: string; readonly sig: string }[];
}

/** The statement about a bootloader, signed by keys of the root role. */
export function signBootloader(image: Uint8Array, version: number, signers: readonly RoleKey[]): Uint8Array {
  const statement: BootloaderStatement = { format: FORMAT, version, digest: digestOf(image) };
  const bytes = canonical(statement);
  const signatures = signers.map((signer) => signer.sign(bytes).toJSON());
  return Buffer.from(`${JSON.stringify({ signed: statement, signatures })}\n`);
}

/** Adds signatures to a statement about a bootloader; those that it has stay, so that devices that pinned an older root believe it as well. */
export function countersignBootloader(statement: Uint8Array, signers: readonly RoleKey[]): Uint8Array {
  const read = parsed(statement);
  const bytes = canonical(read.signed);
  const added = signers.map((signer) => signer.sign(bytes).toJSON() as SignedBootloader['signatures'][number]);
  const kept = read.signatures.filter(({ keyid }) => !added.some((one) => one.keyid === keyid));
  return Buffer.from(`${JSON.stringify({ signed: read.signed, signatures: [...kept, ...added] })}\n`);
}

/** Which of these keys have signed a statement about a bootloader: their ids. Keys are counted, not signatures. */
export function bootloaderSigners(keys: RoleHolders['keys'], statement: Uint8Array): readonly string[] {
  const read = parsed(statement);
  const bytes = canonical(read.signed);
  return keys
    .filter(({ keyId, publicKey }) =>
      read.signatures.some(({ keyid, sig }) => keyid === keyId && isSignature(publicKey, bytes, sig)),
    )
    .map(({ keyId }) => keyId);
}

/**
 * Judges a bootloader by the keys that are burnt into the device: undefined if it is the one that enough of them have signed, else what is
 * wrong. Without an image only the signatures are judged.
 */
export function bootloaderProblem(
  { keys, threshold }: RoleHolders,
  statement: Uint8Array,
  image?: Uint8Array,
): { readonly reason: 'malformed' | 'under_signed' | 'digest_differs'; readonly text: string } | undefined {
  let digest: string;
  let good: number;
  try {
    digest = parsed(statement).signed.digest;
    good = bootloaderSigners(keys, statement).length;
  } catch {
    return { reason: 'malformed', text: 'The statement about the bootloader cannot be read.' };
  }
  if (good < Math.max(threshold, 1)) {
    return {
      reason: 'under_signed',
      text: `The bootloader is signed by ${good} of the ${threshold} keys that it needs.`,
    };
  }
  if (image !== undefined && digestOf(image) !== digest) {
    return { reason: 'digest_differs', text: 'The bootloader is not the one that was signed.' };
  }
  return undefined;
}

/** SHA-256 in lower-case hexadecimal. */
export function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function parsed(statement: Uint8Array): SignedBootloader {
  const read = JSON.parse(Buffer.from(statement).toString('utf8')) as SignedBootloader;
  if (read.signed.format !== FORMAT || !Array.isArray(read.signatures)) throw new TypeError('another format');
  return read;
}

function canonical({ digest, format, version }: BootloaderStatement): Uint8Array {
  return Buffer.from(JSON.stringify({ digest, format, version }));
}

function isSignature(publicKey: string, bytes: Uint8Array, signature: unknown): boolean {
  try {
    const x = Buffer.from(publicKey, 'hex').toString('base64url');
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    return verify(null, bytes, key, Buffer.from(String(signature), 'hex'));
  } catch {
    return false;
  }
}
