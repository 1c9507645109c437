import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto';

/** SCRAM (RFC 5802) with these hashes: SHA-256 is RFC 7677, SHA-512 the same with another hash. */
export const SCRAM_HASHES = ['SHA-256', 'SHA-512'] as const;
export type ScramHash = (typeof SCRAM_HASHES)[number];

/** What is kept of a password: enough to check a proof of it, not enough to make one (RFC 5802 section 3). */
export interface ScramVerifier {
  readonly hash: ScramHash;
  readonly salt: Buffer;
  readonly iterations: number;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

/**
 * RFC 7677 section 4 asks for 4096 at least. Each login costs a client so many hashes, and a server that is robbed of its verifiers
 * loses a password to so many for each guess.
 */
export const SCRAM_ITERATIONS = 32_768;
const MOST_ITERATIONS = 10_000_000;
export const SCRAM_SALT_LENGTH = 16;

/** The verifier of a password that is ASCII: others are prepared differently by different clients (RFC 4013). */
export async function makeScramVerifier(
  hash: ScramHash,
  password: string,
  { salt = randomBytes(SCRAM_SALT_LENGTH), iterations = SCRAM_ITERATIONS }: Partial<ScramVerifier> = {},
): Promise<ScramVerifier> {
  const salted = await new Promise<Buffer>((resolve, reject) => {
    pbkdf2(password, salt, iterations, lengthOf(hash), nameOf(hash), (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });
  const storedKey = createHash(nameOf(hash))
    .update(hmac(hash, salted, 'Client Key'))
    .digest();
  return { hash, salt, iterations, storedKey, serverKey: hmac(hash, salted, 'Server Key') };
}

/** Verifiers of one password for every hash, in the text that {@link readScramVerifier} reads. */
export async function scramVerifiers(password: string): Promise<string> {
  const made = await Promise.all(SCRAM_HASHES.map((hash) => makeScramVerifier(hash, password)));
  return made.map(written).join(' ');
}

/** The verifier for one of the hashes; undefined if the text has none that can be used. */
export function readScramVerifier(text: string, hash: ScramHash): ScramVerifier | undefined {
  for (const one of text.split(' ')) {
    const found = /^SCRAM-(SHA-256|SHA-512)\$([0-9]{1,8}):([^$:]+)\$([^$:]+):([^$:]+)$/.exec(one);
    if (found?.[1] !== hash) continue;
    const [, , iterations = '', salt = '', storedKey = '', serverKey = ''] = found;
    const verifier = {
      hash,
      iterations: Number(iterations),
      salt: Buffer.from(salt, 'base64'),
      storedKey: Buffer.from(storedKey, 'base64'),
      serverKey: Buffer.from(serverKey, 'base64'),
    };
    const whole = verifier.storedKey.length === lengthOf(hash) && verifier.serverKey.length === lengthOf(hash);
    return whole && verifier.iterations > 0 && verifier.iterations <= MOST_ITERATIONS ? verifier : undefined;
  }
  return undefined;
}

/** Whether a proof is that of whoever knows the password, for exactly these messages. In constant time. */
export function scramProofFits(
  { hash, storedKey }: Pick<ScramVerifier, 'hash' | 'storedKey'>,
  authMessage: string,
  proof: Uint8Array,
): boolean {
  const length = lengthOf(hash);
  const signature = hmac(hash, storedKey, authMessage);
  const key = Buffer.alloc(length);
  for (let at = 0; at < length; at++) key[at] = signature[at]! ^ (proof[at] ?? 0);
  const fits = timingSafeEqual(createHash(nameOf(hash)).update(key).digest(), storedKey);
  return fits && proof.length === length;
}

/** By this the server proves that it has the verifier. */
export function scramServerSignature({ hash, serverKey }: ScramVerifier, authMessage: string): Buffer {
  return hmac(hash, serverKey, authMessage);
}

function written({ hash, iterations, salt, storedKey, serverKey }: ScramVerifier): string {
  const base64 = (bytes: Buffer) => bytes.toString('base64');
  return `SCRAM-${hash}$${iterations}:${base64(salt)}$${base64(storedKey)}:${base64(serverKey)}`;
}

function hmac(hash: ScramHash, key: Uint8Array, text: string): Buffer {
  return createHmac(nameOf(hash), key).update(text, 'utf8').digest();
}

function nameOf(hash: ScramHash): string {
  return hash === 'SHA-256' ? 'sha256' : 'sha512';
}

function lengthOf(hash: ScramHash): number {
  return hash === 'SHA-256' ? 32 : 64;
}
