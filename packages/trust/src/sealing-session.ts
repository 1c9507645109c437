import { Aes128Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core';
import type { SealingKey } from './sealing-key.ts';
import { encodeCbor } from './strict-cbor.ts';

/** Whom a session is between. Both sides derive the same keys only if they agree on all of it. */
export interface SessionParties {
  /** Written form of the principal that seals, and the id of its key. */
  readonly sender: string;
  readonly senderKeyId: string;
  readonly recipient: string;
  readonly recipientKeyId: string;
  /** Grows with each session of the sender; milliseconds since the epoch at its start, or one more than the last. */
  readonly session: number;
}

/** What a session seals its messages with. */
export interface SessionKeys {
  /** AES-128-GCM. */
  readonly key: CryptoKey;
  /** 12 bytes; the counter of a message is added to it by exclusive or. */
  readonly iv: Uint8Array<ArrayBuffer>;
}

type CryptoKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

/** DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM (RFC 9180 section 7): one suite, so nothing can be talked down. */
const suite = new CipherSuite({
  kem: new DhkemX25519HkdfSha256(),
  kdf: new HkdfSha256(),
  aead: new Aes128Gcm(),
});
const LABEL = 'sallyport-sealed-1';

/** Begins a session in auth mode (RFC 9180 section 5.1.3): only the recipient can derive its keys, and only from this sender. */
export async function beginSession(
  parties: SessionParties,
  own: SealingKey,
  recipientKey: Uint8Array,
): Promise<{ readonly encapsulated: Uint8Array<ArrayBuffer>; readonly keys: SessionKeys }> {
  const context = await suite.createSenderContext({
    recipientPublicKey: await suite.kem.deserializePublicKey(Uint8Array.from(recipientKey).buffer),
    senderKey: own.pair,
    info: sessionInfo(parties),
  });
  return { encapsulated: new Uint8Array(context.enc), keys: await keysOf(context) };
}

/** Joins a session as its recipient. Throws if the encapsulated key is none. */
export async function joinSession(
  parties: SessionParties,
  own: SealingKey,
  senderKey: Uint8Array,
  encapsulated: Uint8Array,
): Promise<SessionKeys> {
  const context = await suite.createRecipientContext({
    recipientKey: own.pair,
    senderPublicKey: await suite.kem.deserializePublicKey(Uint8Array.from(senderKey).buffer),
    enc: Uint8Array.from(encapsulated).buffer,
    info: sessionInfo(parties),
  });
  return keysOf(context);
}

/** The nonce of a message: the IV of the session, exclusive or its counter (as RFC 9180 section 5.2 counts). */
export function nonceOf({ iv }: SessionKeys, counter: number): Uint8Array<ArrayBuffer> {
  const nonce = Uint8Array.from(iv);
  let rest = counter;
  for (let at = nonce.length - 1; rest > 0; at--) {
    nonce[at] = (nonce[at] ?? 0) ^ (rest % 256);
    rest = Math.floor(rest / 256);
  }
  return nonce;
}

/** What both sides must agree on, as it goes into the derivation (`info` of RFC 9180 section 5.1). */
export function sessionInfo({ sender, senderKeyId, recipient, recipientKeyId, session }: SessionParties): ArrayBuffer {
  return encodeCbor([LABEL, sender, senderKeyId, recipient, recipientKeyId, session]).buffer;
}

/** Keys come from the exporter (RFC 9180 section 5.3), so that messages may be lost or overtake each other. */
async function keysOf(context: { export(label: ArrayBuffer, length: number): Promise<ArrayBuffer> }) {
  const label = (name: string) => new TextEncoder().encode(`${LABEL} ${name}`).buffer;
  const raw = await context.export(label('key'), 16);
  return {
    key: await crypto.subtle.importKey('raw', raw, 'AES-GCM', false, ['encrypt', 'decrypt']),
    iv: new Uint8Array(await context.export(label('iv'), 12)),
  };
}
