import { type Parsed, parsed, unparsed } from '@sallyport/model';
import { serialText, sliceOf } from './certificate-parts.ts';
import { childrenOf, type Element, elementAt } from './der-reader.ts';
import { explicit, fromHex, integer, NULL, objectIdentifier, octetString, sequence } from './der-writer.ts';
import { toHex } from './fingerprint.ts';
import {
  NONCE_MAXIMUM,
  OCSP_NONCE,
  OCSP_NONCE_HEX,
  type OcspIssuerNames,
  SHA1,
  SHA1_HEX,
  SHA256_HEX,
} from './ocsp-names.ts';

/** One certificate that is asked about. */
export interface AskedCertificate {
  /** The CertID as it came, which the answer repeats. */
  readonly id: Uint8Array;
  /** Undefined if the issuer is named by a hash that is not known here. */
  readonly hash: keyof OcspIssuerNames | undefined;
  /** Lower-case hexadecimal, like the key hash. */
  readonly issuerNameHash: string;
  readonly issuerKeyHash: string;
  /** As in `CertificateFacts.serial`. */
  readonly serial: string;
}

export interface OcspRequest {
  readonly asked: readonly AskedCertificate[];
  /** The value of the extension as it came; it is repeated in the answer. */
  readonly nonce?: Uint8Array;
}

const REQUEST_BYTES_MAXIMUM = 4096;
/** Certificates that one request may ask about. */
const ASKED_MAXIMUM = 8;
const HASHES: Readonly<Record<string, keyof OcspIssuerNames>> = { [SHA1_HEX]: 'sha1', [SHA256_HEX]: 'sha256' };

/** Reads a request (RFC 6960 section 4.1). Signatures of requests are not looked at: whoever asks may know. */
export function readOcspRequest(der: Uint8Array): Parsed<OcspRequest> {
  const whole = der.length <= REQUEST_BYTES_MAXIMUM ? elementAt(der, 0, der.length) : undefined;
  const [tbs] = (whole && childrenOf(der, whole)) ?? [];
  const fields = (tbs?.tag === 0x30 && childrenOf(der, tbs)) || [];
  const list = fields.find(({ tag }) => tag === 0x30);
  const requests = (list && childrenOf(der, list)) ?? [];
  if (whole?.end !== der.length || requests.length === 0) return unparsed('the bytes are no OCSP request');
  if (requests.length > ASKED_MAXIMUM) return unparsed(`a request may ask about ${ASKED_MAXIMUM} certificates`);
  const asked = requests.map((request) => askedIn(der, request)).filter((one) => one !== undefined);
  if (asked.length < requests.length) return unparsed('the bytes are no OCSP request');
  const extensions = fields.find(({ tag }) => tag === 0xa2);
  const nonce = extensions && nonceIn(der, extensions);
  if (nonce && (nonce.length < 1 || nonce.length > NONCE_MAXIMUM + 2))
    return unparsed('the nonce is too short or too long');
  return parsed({ asked, ...(nonce ? { nonce } : {}) });
}

function askedIn(der: Uint8Array, request: Element): AskedCertificate | undefined {
  const [id] = childrenOf(der, request) ?? [];
  const [algorithm, name, key, serial, ...rest] = (id && childrenOf(der, id)) ?? [];
  const [oid] = (algorithm && childrenOf(der, algorithm)) ?? [];
  if (!id || !oid || name?.tag !== 0x04 || key?.tag !== 0x04 || serial?.tag !== 0x02 || rest.length > 0)
    return undefined;
  return {
    id: sliceOf(der, id),
    hash: HASHES[toHex(der.subarray(oid.content, oid.end))],
    issuerNameHash: toHex(der.subarray(name.content, name.end)),
    issuerKeyHash: toHex(der.subarray(key.content, key.end)),
    serial: serialText(der.subarray(serial.content, serial.end)),
  };
}

/** Value of the nonce among the extensions of a request or an answer. */
export function nonceIn(der: Uint8Array, outer: Element): Uint8Array | undefined {
  const list = elementAt(der, outer.content, outer.end);
  for (const extension of (list && childrenOf(der, list)) ?? []) {
    const [oid, ...rest] = childrenOf(der, extension) ?? [];
    const value = rest.at(-1);
    if (oid && value && toHex(der.subarray(oid.content, oid.end)) === OCSP_NONCE_HEX) {
      return der.subarray(value.content, value.end);
    }
  }
  return undefined;
}

/**
 * Makes a request about one certificate, its issuer named by SHA-1, which every responder understands (it is a name here, no proof).
 * With a nonce (RFC 9654) the answer is for this request alone, if the responder repeats it; without one it may come from a cache (RFC 5019).
 */
export function createOcspRequest({
  issuer,
  serial,
  nonce,
}: {
  readonly issuer: OcspIssuerNames;
  readonly serial: string;
  /** 32 random bytes. */
  readonly nonce?: Uint8Array | undefined;
}): Uint8Array<ArrayBuffer> {
  const id = sequence(
    sequence(objectIdentifier(SHA1), NULL),
    octetString(fromHex(issuer.sha1.name)),
    octetString(fromHex(issuer.sha1.key)),
    integer(fromHex(serial)),
  );
  const extensions = nonce && [explicit(2, sequence(sequence(objectIdentifier(OCSP_NONCE), nonceValue(nonce))))];
  return sequence(sequence(sequence(sequence(id)), ...(extensions ?? [])));
}

/** Value of the extension: an octet string in an octet string (RFC 9654 section 2.1). */
function nonceValue(nonce: Uint8Array): Uint8Array<ArrayBuffer> {
  return octetString(octetString(nonce));
}
