import { COMMAND_PROBLEMS, type CommandProblem } from '@sallyport/model';
import { fromBase64url, toBase64url } from './base64url.ts';
import { isCount, isText, readClaims, writeClaims } from './claims.ts';
import { readSigned, type SignedEncoding, type SignedMessage, signMessage } from './signed-message.ts';
import type { Signer } from './signing-key.ts';

/** That a device did not follow a command, and why. */
export interface SignedRefusal {
  /** Written form of the device. */
  readonly device: string;
  /** Full topic of the command. */
  readonly topic: string;
  readonly reason: CommandProblem;
  /** Milliseconds since the epoch, in whole seconds. */
  readonly at: number;
  /** Which message it was: {@link messageId} of its payload. */
  readonly message: string;
}

const CLAIMS = {
  device: { label: 1, name: 'iss' },
  topic: { label: 2, name: 'topic' },
  reason: { label: 3, name: 'reason' },
  at: { label: 4, name: 'iat' },
  message: { label: 5, name: 'message' },
} as const;

/** Names a payload: the first 16 bytes of its SHA-256, Base64url. */
export async function messageId(payload: Uint8Array): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', Uint8Array.from(payload)));
  return toBase64url(digest.subarray(0, 16));
}

/** Signs a refusal with the key of the device. */
export async function signRefusal(
  encoding: SignedEncoding,
  refusal: SignedRefusal,
  signer: Signer,
  keyId: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const message = encoding === 'cose' ? fromBase64url(refusal.message) : refusal.message;
  const payload = writeClaims(encoding, CLAIMS, { ...refusal, at: Math.floor(refusal.at / 1000), message });
  return signMessage(encoding, 'sallyport-refusal', payload, signer, { keyId });
}

/** Reads a refusal; undefined if it is none. Its signature has yet to be judged. */
export function readRefusal(
  encoding: SignedEncoding,
  bytes: Uint8Array,
): { readonly message: SignedMessage; readonly keyId: string; readonly refusal: SignedRefusal } | undefined {
  const message = readSigned(encoding, 'sallyport-refusal', bytes);
  const claims = message && readClaims(encoding, CLAIMS, message.payload);
  if (message?.keyId === undefined || claims === undefined) return undefined;
  const { device, topic, reason, at } = claims;
  const id = claims.message instanceof Uint8Array ? toBase64url(claims.message) : claims.message;
  if (!isText(device) || !isText(topic, 65_535) || !isText(id) || !isCount(at)) return undefined;
  if (typeof reason !== 'string' || !Object.hasOwn(COMMAND_PROBLEMS, reason)) return undefined;
  const refusal = { device, topic, reason: reason as CommandProblem, at: at * 1000, message: id };
  return { message, keyId: message.keyId, refusal };
}
