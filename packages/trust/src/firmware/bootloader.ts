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

/** Judges a bootloader by the keys that are burnt into the device: undefined if it is the one that enough of them have signed, else what is wrong. */
export function bootloaderProblem(
  { keys, threshold }: RoleHolders,
  statement: Uint8Array,
  image: Uint8Array,
): { readonly reason: 'malformed' | 'under_signed' | 'digest_differs'; readonly text: string } | undefined {
  let read: SignedBootloader;
  try {
    read = JSON.parse(Buffer.from(statement).toString('utf8')) as SignedBootloader;
    if (read.signed.format !== FORMAT || !Array.isArray(read.signatures)) throw new TypeError('another format');
  } catch {
    return { reason: 'malformed', text: 'The statement about the bootloader cannot be read.' };
  }
  const bytes = canonical(read.signed);
  // Keys are counted, not signatures: one key that signs twice is one key.
  const good = keys.filter(({ keyId, publicKey }) =>
    read.signatures.some(({ keyid, sig }) => keyid === keyId && isSignature(publicKey, bytes, sig)),
  ).length;
  if (good < Math.max(threshold, 1)) {
    return {
      reason: 'under_signed',
      text: `The bootloader is signed by ${good} of the ${threshold} keys that it needs.`,
    };
  }
  if (digestOf(image) !== read.signed.digest) {
    return { reason: 'digest_differs', text: 'The bootloader is not the one that was signed.' };
  }
  return undefined;
}

/** SHA-256 in lower-case hexadecimal. */
export function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
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
