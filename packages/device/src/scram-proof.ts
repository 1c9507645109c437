import { Failure } from '@sallyport/model';
import type { LinkProof } from './link-proof.ts';

/** Hashes of SCRAM: RFC 7677, and the same with another hash. */
export type ScramMechanism = 'SCRAM-SHA-256' | 'SCRAM-SHA-512';

/** RFC 7677 section 4: with fewer, whoever plays the server could try passwords too fast. */
const FEWEST_ITERATIONS = 4_096;
/** A server must not keep a device busy for minutes. */
const MOST_ITERATIONS = 1_000_000;
const SHORTEST_SALT = 8;
const LONGEST_MESSAGE = 2_048;
/** No channel binding: the server offers none (docs/guide/access-tokens.md). */
const HEADER = 'n,,';

/**
 * User name and password by SCRAM (RFC 5802): the password never travels, and a server that does not know it is not believed. There is no
 * way back to a password in clear.
 *
 * @throws Failure `invalid_request` for characters beyond ASCII, which clients prepare in different ways
 */
export function scramProof(
  mechanism: ScramMechanism,
  username: string,
  password: string,
  newNonce: () => string = randomNonce,
): LinkProof {
  if (!/^[\x20-\x7e]+$/.test(username) || !/^[\x20-\x7e]+$/.test(password)) {
    throw new Failure('invalid_request', 'User name and password for SCRAM consist of ASCII, one character at least.');
  }
  const hash = mechanism === 'SCRAM-SHA-256' ? 'SHA-256' : 'SHA-512';
  let bare = '';
  let nonce = '';
  let asked = false;
  let expected: string | undefined;
  return {
    async begin() {
      nonce = newNonce();
      asked = false;
      expected = undefined;
      bare = `n=${username.replaceAll('=', '=3D').replaceAll(',', '=2C')},r=${nonce}`;
      return { method: mechanism, data: bytesOf(HEADER + bare) };
    },

    async answer(challenge) {
      // A second question in one exchange would be a second guess at the same nonce.
      if (asked) throw unproven('it asks twice in one exchange');
      asked = true;
      const text = textOf(challenge);
      const { serverNonce, salt, iterations } = readChallenge(text, nonce);
      const salted = await saltedPassword(hash, password, salt, iterations);
      const clientKey = await hmac(hash, salted, 'Client Key');
      const storedKey = new Uint8Array(await crypto.subtle.digest(hash, clientKey));
      const withoutProof = `c=${btoa(HEADER)},r=${serverNonce}`;
      const message = `${bare},${text},${withoutProof}`;
      const signature = await hmac(hash, storedKey, message);
      expected = `v=${base64(await hmac(hash, await hmac(hash, salted, 'Server Key'), message))}`;
      const proof = clientKey.map((byte, at) => byte ^ (signature[at] ?? 0));
      return bytesOf(`${withoutProof},p=${base64(proof)}`);
    },

    judge(conclusion) {
      if (expected === undefined) return 'it says yes without having asked for a proof';
      const said = conclusion === undefined ? '' : new TextDecoder().decode(conclusion);
      if (!equal(said.split(',')[0] ?? '', expected)) return 'it does not know the password';
      // Used once: what was overheard proves nothing later.
      expected = undefined;
      return undefined;
    },
  };
}

/** `server-first-message` (RFC 5802 section 7), with the bounds of this client. */
function readChallenge(text: string, nonce: string) {
  const found = /^r=([\x21-\x2b\x2d-\x7e]+),s=([A-Za-z0-9+/]+={0,2}),i=([1-9][0-9]{0,9})(?:,[a-ln-zA-Z]=[^,]*)*$/.exec(
    text,
  );
  if (found === null) throw unproven('its question has not the form of SCRAM');
  const [, serverNonce = '', saltText = '', iterationText = ''] = found;
  if (!serverNonce.startsWith(nonce) || serverNonce.length <= nonce.length) {
    throw unproven('its question is not one to this client: the nonce is another');
  }
  const iterations = Number(iterationText);
  if (iterations < FEWEST_ITERATIONS) {
    throw unproven(
      `it asks for ${iterations} iterations, which protect no password; ${FEWEST_ITERATIONS} are the least`,
    );
  }
  if (iterations > MOST_ITERATIONS) {
    throw unproven(`it asks for ${iterations} iterations; ${MOST_ITERATIONS} are the most`);
  }
  let salt: Uint8Array<ArrayBuffer>;
  try {
    salt = Uint8Array.from(atob(saltText), (character) => character.charCodeAt(0));
  } catch {
    throw unproven('its salt cannot be read');
  }
  if (salt.length < SHORTEST_SALT) throw unproven(`its salt has ${salt.length} bytes; ${SHORTEST_SALT} are the least`);
  return { serverNonce, salt, iterations };
}

async function saltedPassword(hash: string, password: string, salt: Uint8Array<ArrayBuffer>, iterations: number) {
  const key = await crypto.subtle.importKey('raw', bytesOf(password), 'PBKDF2', false, ['deriveBits']);
  const length = hash === 'SHA-256' ? 256 : 512;
  return new Uint8Array(await crypto.subtle.deriveBits({ name: 'PBKDF2', hash, salt, iterations }, key, length));
}

async function hmac(hash: string, key: Uint8Array<ArrayBuffer>, text: string): Promise<Uint8Array<ArrayBuffer>> {
  const imported = await crypto.subtle.importKey('raw', key, { name: 'HMAC', hash }, false, ['sign']);
  return new Uint8Array(await crypto.subtle.sign('HMAC', imported, bytesOf(text)));
}

function equal(one: string, other: string): boolean {
  let difference = one.length ^ other.length;
  for (let at = 0; at < other.length; at++) difference |= one.charCodeAt(at) ^ other.charCodeAt(at);
  return difference === 0;
}

function textOf(bytes: Uint8Array): string {
  if (bytes.length > LONGEST_MESSAGE) throw unproven('its question is too long');
  return new TextDecoder().decode(bytes);
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

function randomNonce(): string {
  return base64(crypto.getRandomValues(new Uint8Array(18)));
}

function unproven(problem: string): Failure {
  return new Failure('server_not_proven', `The server is not believed: ${problem}.`);
}
