import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { isSmallOrder } from '@sallyport/trust';
import { parseStrictObject } from './strict-json.ts';

/** Algorithms by which an access token may be signed. There is none with a shared secret, and "none" is none. */
export const TOKEN_ALGORITHMS = [
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'PS256',
  'PS384',
  'PS512',
  'RS256',
  'RS384',
  'RS512',
] as const;
export type TokenAlgorithm = (typeof TOKEN_ALGORITHMS)[number];

/** A public key of an issuer that can verify something. */
export interface SigningKey {
  readonly kid?: string;
  readonly key: KeyObject;
  /** Algorithms that fit the key, and that its owner has not excluded. */
  readonly algorithms: readonly TokenAlgorithm[];
}

export type ReadKeys =
  | { readonly ok: true; readonly keys: readonly SigningKey[] }
  | { readonly ok: false; readonly problem: string };

const MOST_KEYS = 100;
const CURVES: Readonly<Record<string, TokenAlgorithm>> = { 'P-256': 'ES256', 'P-384': 'ES384', 'P-521': 'ES512' };
const RSA_ALGORITHMS = ['PS256', 'PS384', 'PS512', 'RS256', 'RS384', 'RS512'] as const;
/** Below is too weak; above, a signature would cost a stranger nothing and us much. */
const RSA_BITS = { least: 2048, most: 8192 };

/** Reads a JWK set (RFC 7517), or one public key in PEM. Keys that can sign nothing we take are left out; secrets are an error. */
export function readSigningKeys(text: string): ReadKeys {
  if (text.includes('-----BEGIN')) return readPem(text);
  const set = parseStrictObject(text);
  if (set === undefined || !Array.isArray(set.keys))
    return wrong('it is neither a JWK set ({"keys": […]}) nor a public key in PEM');
  const found = set.keys as readonly unknown[];
  if (found.length > MOST_KEYS) return wrong(`it has more than ${MOST_KEYS} keys`);
  const keys: SigningKey[] = [];
  for (const jwk of found) {
    if (typeof jwk !== 'object' || jwk === null) return wrong('one of its keys is no object');
    // Whoever publishes a private key has lost it.
    if ('d' in jwk || 'k' in jwk) return wrong('it holds a private or secret key; give the public ones only');
    const key = keyOfJwk(jwk as JsonWebKey);
    if (key !== undefined) keys.push(key);
  }
  return keys.length === 0 ? wrong('it has no key that can verify a signature here') : { ok: true, keys };
}

function readPem(text: string): ReadKeys {
  if (/PRIVATE KEY/.test(text)) return wrong('it holds a private key; give the public one only');
  try {
    const key = createPublicKey(text);
    const algorithms = algorithmsOf(key);
    if (algorithms.length === 0) return wrong('the key is of a kind or size that is not taken');
    return { ok: true, keys: [{ key, algorithms }] };
  } catch {
    return wrong('the PEM cannot be read as a public key');
  }
}

function keyOfJwk(jwk: JsonWebKey): SigningKey | undefined {
  const { use, alg, kid, key_ops: operations } = jwk as Readonly<Record<string, unknown>>;
  if (use !== undefined && use !== 'sig') return undefined;
  if (Array.isArray(operations) && !operations.includes('verify')) return undefined;
  let key: KeyObject;
  try {
    key = createPublicKey({ key: jwk, format: 'jwk' });
  } catch {
    return undefined;
  }
  const algorithms = algorithmsOf(key).filter((algorithm) => alg === undefined || alg === algorithm);
  if (algorithms.length === 0) return undefined;
  return { key, algorithms, ...(typeof kid === 'string' ? { kid } : {}) };
}

function algorithmsOf(key: KeyObject): readonly TokenAlgorithm[] {
  switch (key.asymmetricKeyType) {
    case 'ec': {
      const algorithm = CURVES[String(key.export({ format: 'jwk' }).crv)];
      return algorithm === undefined ? [] : [algorithm];
    }
    case 'ed25519':
      return isSmallOrder(Buffer.from(String(key.export({ format: 'jwk' }).x), 'base64url')) ? [] : ['EdDSA'];
    case 'rsa': {
      const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
      return bits >= RSA_BITS.least && bits <= RSA_BITS.most ? RSA_ALGORITHMS : [];
    }
    default:
      return [];
  }
}

/** The keys that a token may have been signed with. Without a key id it must be plain which one is meant. */
export function keysFor(
  keys: readonly SigningKey[],
  { alg, kid }: { readonly alg: string; readonly kid?: string },
): readonly SigningKey[] {
  const fitting = keys.filter(({ algorithms }) => (algorithms as readonly string[]).includes(alg));
  if (kid !== undefined) {
    const named = fitting.filter((key) => key.kid === kid);
    // A key in PEM has no id: it is then the only one that its issuer has.
    return named.length > 0 ? named.slice(0, 1) : fitting.filter((key) => key.kid === undefined && keys.length === 1);
  }
  return fitting.length === 1 ? fitting : [];
}

function wrong(problem: string): ReadKeys {
  return { ok: false, problem };
}
