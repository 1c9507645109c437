import { fromBase64url, toBase64url } from './base64url.ts';
import type { Signer, SigningAlgorithm, VerificationKey } from './signing-key.ts';
import { verifies } from './signing-key.ts';
import { decodeCbor, encodeCbor } from './strict-cbor.ts';

/** How a signed document is written: COSE_Sign1 (RFC 9052) in CBOR, or a compact JWS (RFC 7515) in ASCII. */
export type SignedEncoding = 'cose' | 'jws';

/** What a document is for. It is signed with the document, so that one can never pass for another. */
export type DocumentType = 'sallyport-statement' | 'sallyport-command' | 'sallyport-refusal';

/** A signed document that was read. Nothing in it is proven before {@link SignedMessage.signedBy} has said so. */
export interface SignedMessage {
  readonly encoding: SignedEncoding;
  readonly type: DocumentType;
  readonly algorithm: SigningAlgorithm;
  /** Base64url; absent in statements, which name their key by certificate. */
  readonly keyId?: string;
  /** DER of the authority that signed and of those between it and the root. */
  readonly chain?: readonly Uint8Array<ArrayBuffer>[];
  /** A `Map` for COSE, an object for JWS. */
  readonly payload: unknown;
  signedBy(key: VerificationKey): Promise<boolean>;
}

/** Who signs: with a key that the reader knows by its id, or with one that a certificate names. */
export type SignatureHeader = { readonly keyId: string } | { readonly chain: readonly Uint8Array[] };

/** No signed document is larger, in bytes. */
export const LARGEST_SIGNED = 262_144;

const COSE_SIGN1 = 0xd2;
const ALG = 1;
const KID = 4;
const TYP = 16;
const X5CHAIN = 33;
const COSE_ALGORITHMS: Readonly<Record<SigningAlgorithm, number>> = { EdDSA: -8, ES256: -7 };
const NOTHING = new Uint8Array(0);

/** Signs a document. `payload` is a `Map` with numbers as keys for COSE and a JSON object for JWS. */
export async function signMessage(
  encoding: SignedEncoding,
  type: DocumentType,
  payload: unknown,
  signer: Signer,
  header: SignatureHeader,
): Promise<Uint8Array<ArrayBuffer>> {
  const { algorithm } = signer.publicKey;
  if (encoding === 'jws') {
    const named =
      'keyId' in header ? { kid: header.keyId } : { x5c: header.chain.map((der) => btoa(String.fromCharCode(...der))) };
    const input = `${base64urlJson({ alg: algorithm, typ: `${type}+jwt`, ...named })}.${base64urlJson(payload)}`;
    return ascii(`${input}.${toBase64url(await signer.sign(ascii(input)))}`);
  }
  const fields = new Map<number, unknown>([
    [ALG, COSE_ALGORITHMS[algorithm]],
    [TYP, `application/${type}+cbor`],
    'keyId' in header ? [KID, fromBase64url(header.keyId) ?? NOTHING] : [X5CHAIN, chainValue(header.chain)],
  ]);
  const protectedBytes = encodeCbor(fields);
  const content = encodeCbor(payload);
  const signature = await signer.sign(structureOf(protectedBytes, content));
  return Uint8Array.from([COSE_SIGN1, ...encodeCbor([protectedBytes, new Map(), content, signature])]);
}

/** Reads a signed document of one type; undefined if it is none. Says nothing of its signature. */
export function readSigned(encoding: SignedEncoding, type: DocumentType, bytes: Uint8Array): SignedMessage | undefined {
  if (bytes.length > LARGEST_SIGNED) return undefined;
  return encoding === 'cose' ? readCose(type, bytes) : readJws(type, bytes);
}

function readCose(type: DocumentType, bytes: Uint8Array): SignedMessage | undefined {
  const parts = bytes[0] === COSE_SIGN1 ? decodeCbor(bytes.subarray(1)) : undefined;
  if (!Array.isArray(parts) || parts.length !== 4) return undefined;
  const [protectedBytes, unprotected, content, signature] = parts as unknown[];
  if (!isBytes(protectedBytes) || !isBytes(content) || !isBytes(signature)) return undefined;
  if (!(unprotected instanceof Map) || unprotected.size > 0) return undefined;
  const header = decodeCbor(protectedBytes);
  if (!(header instanceof Map) || header.size !== 3 || header.get(TYP) !== `application/${type}+cbor`) return undefined;
  const algorithm = algorithmOf((each) => COSE_ALGORITHMS[each] === header.get(ALG));
  const keyId: unknown = header.get(KID);
  const chain = chainOf(header.get(X5CHAIN));
  if (algorithm === undefined || (!isBytes(keyId) && chain === undefined)) return undefined;
  return {
    encoding: 'cose',
    type,
    algorithm,
    ...(isBytes(keyId) ? { keyId: toBase64url(keyId) } : {}),
    ...(chain === undefined ? {} : { chain }),
    payload: decodeCbor(content),
    signedBy: async (key) =>
      key.algorithm === algorithm && (await verifies(key, structureOf(protectedBytes, content), signature)),
  };
}

function readJws(type: DocumentType, bytes: Uint8Array): SignedMessage | undefined {
  const text = new TextDecoder('latin1').decode(bytes);
  const [head = '', body = '', tail = '', ...more] = text.split('.');
  const signature = fromBase64url(tail);
  const header = jsonOf(head);
  if (more.length > 0 || signature === undefined || !isObject(header) || Object.keys(header).length !== 3) {
    return undefined;
  }
  const { alg, typ, kid, x5c } = header as Partial<Record<string, unknown>>;
  const algorithm = algorithmOf((each) => each === alg);
  const chain = Array.isArray(x5c) ? chainOf(x5c.map(derOf)) : undefined;
  if (typ !== `${type}+jwt` || algorithm === undefined) return undefined;
  if (chain === undefined && (typeof kid !== 'string' || fromBase64url(kid) === undefined)) return undefined;
  return {
    encoding: 'jws',
    type,
    algorithm,
    ...(typeof kid === 'string' ? { keyId: kid } : {}),
    ...(chain === undefined ? {} : { chain }),
    payload: jsonOf(body),
    signedBy: async (key) => key.algorithm === algorithm && (await verifies(key, ascii(`${head}.${body}`), signature)),
  };
}

/** Sig_structure of COSE_Sign1 (RFC 9052 section 4.4), without external data. */
function structureOf(protectedBytes: Uint8Array, content: Uint8Array): Uint8Array {
  return encodeCbor(['Signature1', protectedBytes, NOTHING, content]);
}

/** x5chain (RFC 9360 section 2): one certificate stands alone, more are a list. */
function chainValue(chain: readonly Uint8Array[]): unknown {
  return chain.length === 1 ? chain[0] : chain;
}

function chainOf(value: unknown): readonly Uint8Array<ArrayBuffer>[] | undefined {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  if (list.length === 0 || list.length > 4 || !list.every(isBytes)) return undefined;
  return list.map((each) => Uint8Array.from(each));
}

function derOf(text: unknown): Uint8Array | undefined {
  if (typeof text !== 'string' || !/^[A-Za-z0-9+/]+={0,2}$/.test(text) || text.length % 4 !== 0) return undefined;
  return Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
}

function algorithmOf(matches: (algorithm: SigningAlgorithm) => boolean): SigningAlgorithm | undefined {
  return (['EdDSA', 'ES256'] as const).find(matches);
}

function base64urlJson(value: unknown): string {
  return toBase64url(new TextEncoder().encode(JSON.stringify(value)));
}

function jsonOf(text: string): unknown {
  const bytes = fromBase64url(text);
  if (bytes === undefined) return undefined;
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

function ascii(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
