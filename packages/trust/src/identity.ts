import type { webcrypto } from 'node:crypto';
import { Failure } from '@sallyport/model';
import { fromBase64url } from './base64url.ts';
import { keyIdOf } from './key-id.ts';
import { generateSealingKey, type SealingKey, sealingKeyOf } from './sealing-key.ts';
import { generateSigningKey, type Signer, type SigningAlgorithm, signerOf } from './signing-key.ts';

/** One pair of keys of an identity, with the platform's statement about it. A secret. */
export interface IdentityKeyFile {
  readonly keyId: string;
  /** ISO 8601. */
  readonly notBefore: string;
  readonly notAfter: string;
  /** Private JWK: Ed25519 or P-256. */
  readonly signingKey: webcrypto.JsonWebKey;
  /** Private JWK: X25519. */
  readonly sealingKey: webcrypto.JsonWebKey;
  /** The statement as COSE_Sign1, Base64url. */
  readonly cose: string;
  /** The statement as compact JWS. */
  readonly jws: string;
}

/** An identity as it lies in a file: a secret, to be read by its owner only. */
export interface IdentityFile {
  /** Written form of the application, device or gateway. */
  readonly principal: string;
  /** The newest first. */
  readonly keys: readonly IdentityKeyFile[];
}

/** Keys that are ready to sign and to open. */
export interface IdentityKey {
  readonly keyId: string;
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly signer: Signer;
  readonly sealing: SealingKey;
  readonly statement: { readonly cose: Uint8Array<ArrayBuffer>; readonly jws: Uint8Array<ArrayBuffer> };
}

/** Who signs and opens: an application, device or gateway with its keys. */
export interface Identity {
  readonly principal: string;
  readonly keys: readonly IdentityKey[];
}

/** A new pair of keys, to be shown to the platform for a statement. */
export async function newIdentityKeys(algorithm?: SigningAlgorithm): Promise<{
  readonly keyId: string;
  readonly signingKey: webcrypto.JsonWebKey;
  readonly sealingKey: webcrypto.JsonWebKey;
}> {
  for (;;) {
    const signingKey = await generateSigningKey(algorithm);
    const sealingKey = await generateSealingKey();
    const signer = await signerOf(signingKey);
    const sealing = await sealingKeyOf(sealingKey);
    if (signer === undefined || sealing === undefined) throw new Error('a key that was just made cannot be read');
    const keyId = await keyIdOf(signer.publicKey.bytes, sealing.publicKey);
    // Commands would take such an id for an option.
    if (!keyId.startsWith('-')) return { keyId, signingKey, sealingKey };
  }
}

/**
 * Reads an identity from the text of its file.
 *
 * @throws Failure `key_material_invalid`; it never quotes a key
 */
export async function readIdentity(text: string): Promise<Identity> {
  try {
    const file = JSON.parse(text) as IdentityFile;
    const keys = await Promise.all(file.keys.map(readKey));
    if (typeof file.principal === 'string' && keys.length > 0) return { principal: file.principal, keys };
  } catch {
    // Said below: the cause could quote a piece of a key.
  }
  throw new Failure('key_material_invalid', 'The text is not an identity with its keys.', {
    cure: 'Use the file that `sallyport application identity create` or `sallyport device identity create` wrote.',
  });
}

/** The newest key that is in force. Milliseconds since the epoch. */
export function currentKey({ keys }: Identity, at: number): IdentityKey | undefined {
  return keys
    .filter(({ notBefore, notAfter }) => notBefore <= at && at < notAfter)
    .sort((a, b) => b.notBefore - a.notBefore)[0];
}

async function readKey(file: IdentityKeyFile): Promise<IdentityKey> {
  const signer = await signerOf(file.signingKey);
  const sealing = await sealingKeyOf(file.sealingKey);
  const cose = fromBase64url(file.cose);
  if (signer === undefined || sealing === undefined || cose === undefined) throw new Error('damaged');
  if ((await keyIdOf(signer.publicKey.bytes, sealing.publicKey)) !== file.keyId) throw new Error('of another key');
  return {
    keyId: file.keyId,
    notBefore: Date.parse(file.notBefore),
    notAfter: Date.parse(file.notAfter),
    signer,
    sealing,
    statement: { cose, jws: new TextEncoder().encode(file.jws) },
  };
}
