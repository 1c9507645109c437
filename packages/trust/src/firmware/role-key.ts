import { createHash, createPrivateKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { Failure } from '@sallyport/model';
import { Key, Signature } from '@tufjs/models';

/** Signs for a role of a firmware repository. */
export interface RoleKey {
  /** SHA-256 of the canonical public key (TUF section 4.2). */
  readonly keyId: string;
  /** Ed25519 public key, hexadecimal. */
  readonly publicKey: string;
  sign(bytes: Uint8Array): Signature;
  /** PKCS#8 PEM. A secret. */
  exportPem(): string;
}

/** Makes an Ed25519 key: deterministic signatures, no parameters to get wrong. */
export function generateRoleKey(): RoleKey {
  return roleKey(generateKeyPairSync('ed25519').privateKey);
}

/** Reads what {@link RoleKey.exportPem} wrote. Anything else is a `key_material_invalid` failure. */
export function roleKeyFromPem(pem: string): RoleKey {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch (cause) {
    throw new Failure('key_material_invalid', 'The key of a firmware role cannot be read.', { cause });
  }
  if (key.asymmetricKeyType !== 'ed25519') {
    throw new Failure('key_material_invalid', 'The key of a firmware role is no Ed25519 key.');
  }
  return roleKey(key);
}

/** The public half as the root role lists it. */
export function publicRoleKey({ keyId, publicKey }: Pick<RoleKey, 'keyId' | 'publicKey'>): Key {
  return new Key({ keyID: keyId, keyType: 'ed25519', scheme: 'ed25519', keyVal: { public: publicKey } });
}

/** The id of a public key, so that nobody can list one key under two ids and count it twice. */
function roleKeyId(publicKey: string): string {
  const canonical = JSON.stringify({ keytype: 'ed25519', keyval: { public: publicKey }, scheme: 'ed25519' });
  return createHash('sha256').update(canonical).digest('hex');
}

/** Whether an id is the one of this public key. */
export function isRoleKeyId({ keyId, publicKey }: Pick<RoleKey, 'keyId' | 'publicKey'>): boolean {
  return /^[0-9a-f]{64}$/.test(publicKey) && roleKeyId(publicKey) === keyId;
}

function roleKey(privateKey: KeyObject): RoleKey {
  const jwk = privateKey.export({ format: 'jwk' });
  const publicKey = Buffer.from(jwk.x ?? '', 'base64url').toString('hex');
  const keyId = roleKeyId(publicKey);
  return {
    keyId,
    publicKey,
    sign: (bytes) => new Signature({ keyID: keyId, sig: sign(null, bytes, privateKey).toString('hex') }),
    exportPem: () => privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}
