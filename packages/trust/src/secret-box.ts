import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { Failure } from '@sallyport/model';

/** Seals secrets that have to be read again, for a store that others may get to see. */
export interface SecretBox {
  /** `context` says whose secret it is: in another one it does not open. */
  seal(secret: Uint8Array, context: string): Uint8Array;
  /** Throws `key_material_invalid` if the box was changed, or sealed under another key or context. */
  open(sealed: Uint8Array, context: string): Uint8Array;
}

const NONCE = 12;
const TAG = 16;

/** AES-256-GCM under a key of its own, derived from `key` by HKDF (RFC 5869) for this `purpose`. */
export function secretBox(key: Uint8Array, purpose: string): SecretBox {
  const derived = Buffer.from(hkdfSync('sha256', key, new Uint8Array(), purpose, 32));
  return {
    seal(secret, context) {
      const nonce = randomBytes(NONCE);
      const cipher = createCipheriv('aes-256-gcm', derived, nonce).setAAD(Buffer.from(context));
      return Buffer.concat([nonce, cipher.update(secret), cipher.final(), cipher.getAuthTag()]);
    },
    open(sealed, context) {
      try {
        const decipher = createDecipheriv('aes-256-gcm', derived, sealed.subarray(0, NONCE), { authTagLength: TAG });
        decipher.setAAD(Buffer.from(context)).setAuthTag(sealed.subarray(-TAG));
        return Buffer.concat([decipher.update(sealed.subarray(NONCE, -TAG)), decipher.final()]);
      } catch (cause) {
        throw new Failure('key_material_invalid', 'A sealed secret does not open: it was changed, or its key was.', {
          cause,
          cure: 'Restore the database and token.key from the same backup, or make the secret anew.',
        });
      }
    },
  };
}
