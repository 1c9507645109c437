import { createHmac, randomInt, timingSafeEqual } from 'node:crypto';
import { Failure } from '@sallyport/model';

/** 24 characters out of 62 carry 142 bits: no guessing, no dictionary, hence no slow hash. */
const TOKEN_LENGTH = 24;
const TOKEN_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const KEY_BYTES_MINIMUM = 32;

/** A random secret of 142 bits in letters and digits: safe in a shell, a URL and a user's double click. */
export function generateToken(): string {
  let token = '';
  for (let i = 0; i < TOKEN_LENGTH; i++) token += TOKEN_ALPHABET[randomInt(TOKEN_ALPHABET.length)];
  return token;
}

/** Keeps and checks tokens of high entropy without keeping the tokens. */
export interface TokenHasher {
  /** 32 bytes that are worth nothing without the server's key. */
  hash(token: string | Uint8Array): Buffer;
  /** Takes the same time for every hash. A stored value of a wrong length never matches. */
  matches(token: string | Uint8Array, hash: Uint8Array): boolean;
}

/**
 * HMAC-SHA256 under a key that is kept apart from the database, so that a stolen database cannot be used to try tokens.
 *
 * @param serverKey at least 32 random bytes; a shorter key is a `key_material_invalid` failure.
 */
export function tokenHasher(serverKey: Uint8Array): TokenHasher {
  if (serverKey.length < KEY_BYTES_MINIMUM) {
    throw new Failure(
      'key_material_invalid',
      `the key for token hashes has ${serverKey.length} bytes; it needs ${KEY_BYTES_MINIMUM} or more`,
    );
  }
  const key = Buffer.from(serverKey);
  const hash = (token: string | Uint8Array): Buffer => createHmac('sha256', key).update(token).digest();
  return {
    hash,
    matches(token, stored) {
      const computed = hash(token);
      return stored.length === computed.length && timingSafeEqual(computed, stored);
    },
  };
}
