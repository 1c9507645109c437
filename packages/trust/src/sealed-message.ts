import { fromBase64url, toBase64url } from './base64url.ts';
import { isCount, isText } from './claims.ts';
import { nonceOf, type SessionKeys } from './sealing-session.ts';
import { decodeCbor, encodeCbor } from './strict-cbor.ts';

/** How a sealed message is written: COSE_Encrypt0 (RFC 9052 section 5.2) or a compact JWE (RFC 7516). */
export type SealedEncoding = 'cose' | 'jwe';

/** What stands in the open of a sealed message, and is authenticated with it. */
export interface SealedHeader {
  readonly senderKeyId: string;
  readonly recipientKeyId: string;
  readonly session: number;
  /** Encapsulated key of the session, 32 bytes. */
  readonly encapsulated: Uint8Array<ArrayBuffer>;
  /** 0, 1, 2, … within the session. */
  readonly counter: number;
}

/** What a message is bound to besides its header: moved elsewhere, it cannot be opened. */
export interface SealedBinding {
  /** Full topic. */
  readonly topic: string;
  /** Written form of the principal that sealed it. */
  readonly sender: string;
}

/** A content with its format, as it is under the seal. */
export interface SealedContent {
  readonly format: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** A sealed message that was read; whether it can be opened is another question. */
export interface ReadSealed {
  readonly header: SealedHeader;
  /** The content, or undefined if key, header, topic or sender are not those with which it was sealed. */
  open(keys: SessionKeys, binding: SealedBinding): Promise<SealedContent | undefined>;
}

/** No sealed message is larger, in bytes. */
export const LARGEST_SEALED = 393_216;

const COSE_ENCRYPT0 = 0xd0;
const ALG = 1;
const KID = 4;
const PARTIAL_IV = 6;
const TYP = 16;
const SENDER_KID = -70_003;
const SESSION = -70_004;
const ENCAPSULATED = -70_005;
const A128GCM = 1;
const COSE_TYPE = 'application/sallyport-sealed+cbor';
const JWE_TYPE = 'sallyport-sealed+jwe';
const TAG_SIZE = 16;

/** Seals a content with the keys of a session. A counter must never be used twice with the same keys. */
export async function sealMessage(
  encoding: SealedEncoding,
  content: SealedContent,
  header: SealedHeader,
  keys: SessionKeys,
  binding: SealedBinding,
): Promise<Uint8Array<ArrayBuffer>> {
  const iv = nonceOf(keys, header.counter);
  if (encoding === 'cose') {
    const protectedBytes = encodeCbor(coseHeader(header));
    const data = structureOf(protectedBytes, header, binding);
    const sealed = await encrypt(keys, iv, data, encodeCbor([content.format, content.bytes]));
    return Uint8Array.from([COSE_ENCRYPT0, ...encodeCbor([protectedBytes, new Map(), sealed])]);
  }
  const head = toBase64url(utf8(JSON.stringify(jweHeader(header, binding))));
  const sealed = await encrypt(keys, iv, utf8(head), utf8(JSON.stringify(jsonContent(content))));
  const split = sealed.length - TAG_SIZE;
  const parts = [
    head,
    '',
    toBase64url(iv),
    toBase64url(sealed.subarray(0, split)),
    toBase64url(sealed.subarray(split)),
  ];
  return utf8(parts.join('.'));
}

/** Reads a sealed message; undefined if it is none. */
export function readSealed(encoding: SealedEncoding, bytes: Uint8Array): ReadSealed | undefined {
  if (bytes.length > LARGEST_SEALED) return undefined;
  return encoding === 'cose' ? readCose(bytes) : readJwe(bytes);
}

function readCose(bytes: Uint8Array): ReadSealed | undefined {
  const parts = bytes[0] === COSE_ENCRYPT0 ? decodeCbor(bytes.subarray(1)) : undefined;
  if (!Array.isArray(parts) || parts.length !== 3) return undefined;
  const [protectedBytes, unprotected, sealed] = parts as unknown[];
  if (!(protectedBytes instanceof Uint8Array) || !(sealed instanceof Uint8Array)) return undefined;
  if (!(unprotected instanceof Map) || unprotected.size > 0) return undefined;
  const fields = decodeCbor(protectedBytes);
  if (!(fields instanceof Map) || fields.size !== 7) return undefined;
  if (fields.get(ALG) !== A128GCM || fields.get(TYP) !== COSE_TYPE) return undefined;
  const header = headerOf(
    textOf(fields.get(SENDER_KID)),
    textOf(fields.get(KID)),
    fields.get(SESSION),
    fields.get(ENCAPSULATED),
    counterOf(fields.get(PARTIAL_IV)),
  );
  if (header === undefined) return undefined;
  return {
    header,
    async open(keys, binding) {
      const data = structureOf(protectedBytes, header, binding);
      const plain = await decrypt(keys, nonceOf(keys, header.counter), data, sealed);
      const content = plain && decodeCbor(plain);
      if (!Array.isArray(content) || content.length !== 2) return undefined;
      const [format, inner] = content as unknown[];
      if (!isText(format) || !(inner instanceof Uint8Array)) return undefined;
      return { format, bytes: Uint8Array.from(inner) };
    },
  };
}

function readJwe(bytes: Uint8Array): ReadSealed | undefined {
  const parts = new TextDecoder('latin1').decode(bytes).split('.');
  const [head = '', key, iv, body, tag] = parts;
  const [nonce, sealed, end] = [iv, body, tag].map((part) => fromBase64url(part ?? ' '));
  const fields = jsonOf(fromBase64url(head));
  if (parts.length !== 5 || key !== '' || !nonce || !sealed || end?.length !== TAG_SIZE || !isObject(fields)) {
    return undefined;
  }
  const { alg, enc, typ, kid, skid, ses, ek, cnt, topic, snd, ...more } = fields;
  if (alg !== 'dir' || enc !== 'A128GCM' || typ !== JWE_TYPE || Object.keys(more).length > 0) return undefined;
  const encapsulated = typeof ek === 'string' ? fromBase64url(ek) : undefined;
  const header = headerOf(skid, kid, ses, encapsulated, cnt);
  if (header === undefined) return undefined;
  return {
    header,
    async open(keys, binding) {
      const own = nonceOf(keys, header.counter);
      if (topic !== binding.topic || snd !== binding.sender) return undefined;
      if (nonce.length !== own.length || nonce.some((byte, at) => byte !== own[at])) return undefined;
      const plain = await decrypt(keys, own, utf8(head), Uint8Array.from([...sealed, ...end]));
      return contentOfJson(jsonOf(plain));
    },
  };
}

function coseHeader(header: SealedHeader): Map<number, unknown> {
  return new Map<number, unknown>([
    [ALG, A128GCM],
    [KID, fromBase64url(header.recipientKeyId)],
    [PARTIAL_IV, bigEndian(header.counter)],
    [TYP, COSE_TYPE],
    [SENDER_KID, fromBase64url(header.senderKeyId)],
    [SESSION, header.session],
    [ENCAPSULATED, header.encapsulated],
  ]);
}

function jweHeader(header: SealedHeader, { topic, sender }: SealedBinding): object {
  return {
    alg: 'dir',
    enc: 'A128GCM',
    typ: JWE_TYPE,
    kid: header.recipientKeyId,
    skid: header.senderKeyId,
    ses: header.session,
    ek: toBase64url(header.encapsulated),
    cnt: header.counter,
    topic,
    snd: sender,
  };
}

/** Enc_structure (RFC 9052 section 5.3); its external data are topic, sender and counter. */
function structureOf(protectedBytes: Uint8Array, { counter }: SealedHeader, { topic, sender }: SealedBinding) {
  return encodeCbor(['Encrypt0', protectedBytes, encodeCbor([topic, sender, counter])]);
}

function headerOf(
  senderKeyId: unknown,
  recipientKeyId: unknown,
  session: unknown,
  encapsulated: unknown,
  counter: unknown,
): SealedHeader | undefined {
  if (!isText(senderKeyId, 64) || !isText(recipientKeyId, 64) || !isCount(session) || !isCount(counter))
    return undefined;
  if (!(encapsulated instanceof Uint8Array) || encapsulated.length !== 32) return undefined;
  return { senderKeyId, recipientKeyId, session, encapsulated: Uint8Array.from(encapsulated), counter };
}

/** At most 6 bytes: a counter is a safe integer. */
function bigEndian(counter: number): Uint8Array {
  const bytes: number[] = [];
  for (let rest = counter; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Uint8Array.from(bytes.length === 0 ? [0] : bytes);
}

function counterOf(value: unknown): number | undefined {
  if (!(value instanceof Uint8Array) || value.length === 0 || value.length > 6) return undefined;
  if (value.length > 1 && value[0] === 0) return undefined;
  return value.reduce((sum, byte) => sum * 256 + byte, 0);
}

function textOf(value: unknown): string | undefined {
  return value instanceof Uint8Array ? toBase64url(value) : undefined;
}

/** JSON stands as it is, other text as text, the rest as Base64url. */
function jsonContent({ format, bytes }: SealedContent): object {
  if (format === 'json') return { fmt: format, content: jsonOf(bytes) };
  return format === 'jws'
    ? { fmt: format, text: new TextDecoder().decode(bytes) }
    : { fmt: format, bytes: toBase64url(bytes) };
}

function contentOfJson(value: unknown): SealedContent | undefined {
  if (!isObject(value)) return undefined;
  const { fmt: format, content, text, bytes } = value;
  if (!isText(format)) return undefined;
  if (typeof bytes === 'string') {
    const inner = fromBase64url(bytes);
    return inner && { format, bytes: inner };
  }
  if (typeof text === 'string') return { format, bytes: utf8(text) };
  return 'content' in value ? { format, bytes: utf8(JSON.stringify(content)) } : undefined;
}

async function encrypt({ key }: SessionKeys, iv: Uint8Array<ArrayBuffer>, data: Uint8Array, plain: Uint8Array) {
  const parameters = { name: 'AES-GCM', iv, additionalData: Uint8Array.from(data) };
  return new Uint8Array(await crypto.subtle.encrypt(parameters, key, Uint8Array.from(plain)));
}

async function decrypt({ key }: SessionKeys, iv: Uint8Array<ArrayBuffer>, data: Uint8Array, sealed: Uint8Array) {
  try {
    const parameters = { name: 'AES-GCM', iv, additionalData: Uint8Array.from(data) };
    return new Uint8Array(await crypto.subtle.decrypt(parameters, key, Uint8Array.from(sealed)));
  } catch {
    return undefined;
  }
}

function jsonOf(bytes: Uint8Array | undefined): unknown {
  if (bytes === undefined) return undefined;
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function utf8(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}
