import { Failure } from '@sallyport/model';

/** The key and IV that every program of the published samples shares; 16 characters each. */
export interface InsecureSampleKey {
  readonly key: string;
  readonly iv: string;
}

/** `{"chksum":…,"ts":…,"d":…}` */
export interface InsecureSamplePayload {
  /** MD5 of the clear JSON in hexadecimal, as `BigInteger.toString(16)` writes it: without leading zeros. */
  readonly chksum: string;
  /** `yyyy-MM-dd HH:mm:ss` */
  readonly ts: string;
  /** AES-128-CBC with PKCS#5 padding, Base64. */
  readonly d: string;
}

/**
 * LEGACY AND INSECURE. Writes a value as the published samples do: one key and IV for everybody, so that equal beginnings look equal,
 * a checksum that anybody can make, and nothing against replay.
 */
export async function writeInsecureSamplePayload(
  value: unknown,
  key: InsecureSampleKey,
  now: number = Date.now(),
): Promise<InsecureSamplePayload> {
  const clear = new TextEncoder().encode(JSON.stringify(value));
  const sealed = await crypto.subtle.encrypt(
    { name: 'AES-CBC', iv: sixteen(key.iv, 'iv') },
    await keyOf(key, 'encrypt'),
    clear,
  );
  return {
    chksum: await checksum(clear),
    ts: new Date(now).toISOString().slice(0, 19).replace('T', ' '),
    d: btoa(String.fromCharCode(...new Uint8Array(sealed))),
  };
}

/**
 * LEGACY AND INSECURE. Reads what {@link writeInsecureSamplePayload} and the published samples write.
 *
 * @throws Failure `invalid_request` if it cannot be decrypted, is no JSON or does not fit its checksum
 */
export async function readInsecureSamplePayload(
  { d, chksum }: Pick<InsecureSamplePayload, 'd' | 'chksum'>,
  key: InsecureSampleKey,
): Promise<unknown> {
  const parameters = { name: 'AES-CBC', iv: sixteen(key.iv, 'iv') };
  const own = await keyOf(key, 'decrypt');
  try {
    const bytes = Uint8Array.from(atob(d), (each) => each.charCodeAt(0));
    const clear = new Uint8Array(await crypto.subtle.decrypt(parameters, own, bytes));
    if (withoutZeros(chksum.toLowerCase()) === (await checksum(clear))) {
      return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(clear)) as unknown;
    }
  } catch {
    // One answer for every fault: telling a wrong padding apart would let a stranger decrypt byte by byte.
  }
  throw new Failure('invalid_request', 'A payload of the form of the samples cannot be read.', {
    cure: 'Compare key and IV with those of the device.',
  });
}

/** Whether a value has the form of a payload of the samples. */
export function isInsecureSamplePayload(value: unknown): value is InsecureSamplePayload {
  if (typeof value !== 'object' || value === null) return false;
  const { chksum, ts, d } = value as Partial<Record<string, unknown>>;
  return typeof chksum === 'string' && typeof ts === 'string' && typeof d === 'string';
}

async function checksum(clear: Uint8Array): Promise<string> {
  // WebCrypto has no MD5, for good reasons.
  const { createHash } = await import('node:crypto');
  return withoutZeros(createHash('md5').update(clear).digest('hex'));
}

function withoutZeros(hex: string): string {
  return hex.replace(/^0+(?=.)/, '');
}

function keyOf({ key }: InsecureSampleKey, use: 'encrypt' | 'decrypt') {
  return crypto.subtle.importKey('raw', sixteen(key, 'key'), 'AES-CBC', false, [use]);
}

function sixteen(text: string, what: string): Uint8Array<ArrayBuffer> {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length === 16) return bytes;
  throw new Failure('invalid_request', `The ${what} of the payloads of the samples has 16 bytes, not ${bytes.length}.`);
}
