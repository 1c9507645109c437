import { type Parsed, parsed, unparsed } from '@sallyport/model';
import { readCertificate } from './certificate.ts';
import { certificateParts, sameBytes, serialText, sliceOf } from './certificate-parts.ts';
import { childrenOf, type Element, elementAt } from './der-reader.ts';
import { timeOf } from './der-time.ts';
import { octetString } from './der-writer.ts';
import { toHex } from './fingerprint.ts';
import { sha1 } from './key-identifier.ts';
import { OCSP_BASIC_HEX, OCSP_SIGNING, type OcspIssuerNames, SHA1_HEX, SHA256_HEX } from './ocsp-names.ts';
import { nonceIn } from './ocsp-request.ts';
import type { CertificateStatus } from './ocsp-response.ts';
import { verifySignature } from './verify-signature.ts';

/** An answer whose signature was checked: that of the issuer, or of a responder that the issuer certified for it. */
export type VerifiedOcspAnswer = CertificateStatus & {
  /** Milliseconds since 1970, like `nextUpdate`. */
  readonly thisUpdate: number;
  /** Absent: newer information is available all the time (RFC 6960 section 2.4). */
  readonly nextUpdate?: number;
  /** It repeats the nonce of the request, so it was made for it. Absent if it holds none. */
  readonly isFresh?: true;
};

export interface ReadOcspResponseOptions {
  readonly response: Uint8Array;
  /** DER of the authority that issued the certificate which was asked about. */
  readonly issuer: Uint8Array;
  readonly names: OcspIssuerNames;
  readonly serial: string;
  /** What the request had, if it had any. An answer with another one is refused; one without any says so. */
  readonly nonce?: Uint8Array | undefined;
  /** Milliseconds since 1970. */
  readonly at: number;
}

const RESPONSE_BYTES_MAXIMUM = 64 * 1024;
/** What responders answer to whom they do not understand; some of them to every request with a nonce. */
const UNDERSTOOD_NOT: readonly number[] = [1, 2, 6];
const REFUSED: Readonly<Record<number, string>> = {
  1: 'the responder did not understand the request',
  2: 'the responder has an internal error',
  3: 'the responder asks to try later',
  5: 'the responder demands signed requests',
  6: 'the responder knows nothing of the authority',
};

/** True if what {@link readOcspResponse} says is wrong may come of the nonce alone: some responders know none. */
export function mayComeOfNonce(problem: string): boolean {
  return UNDERSTOOD_NOT.some((code) => REFUSED[code] === problem);
}

/** Reads the answer about one certificate (RFC 6960 sections 3.2 and 4.2) and verifies it. */
export async function readOcspResponse(options: ReadOcspResponseOptions): Promise<Parsed<VerifiedOcspAnswer>> {
  const { response: der } = options;
  const whole = der.length <= RESPONSE_BYTES_MAXIMUM ? elementAt(der, 0, der.length) : undefined;
  const [status, outer] = (whole && childrenOf(der, whole)) ?? [];
  if (whole?.end !== der.length || status?.tag !== 0x0a) return unparsed('the bytes are no OCSP answer');
  const code = der[status.content] ?? 0;
  if (code !== 0) return unparsed(REFUSED[code] ?? `the responder refused with status ${code}`);
  const [bytes] = (outer && childrenOf(der, outer)) ?? [];
  const [type, value] = (bytes && childrenOf(der, bytes)) ?? [];
  if (!type || value?.tag !== 0x04 || toHex(der.subarray(type.content, type.end)) !== OCSP_BASIC_HEX) {
    return unparsed('the OCSP answer is of a kind that is not known here');
  }
  return readBasic(der.subarray(value.content, value.end), options);
}

async function readBasic(der: Uint8Array, options: ReadOcspResponseOptions): Promise<Parsed<VerifiedOcspAnswer>> {
  const whole = elementAt(der, 0, der.length);
  const [content, algorithm, signature, certificates] = (whole && childrenOf(der, whole)) ?? [];
  const fields = (content && childrenOf(der, content)) ?? [];
  const [responder, , responses, extensions] = fields[0]?.tag === 0xa0 ? fields.slice(1) : fields;
  if (whole?.end !== der.length || !content || !algorithm || signature?.tag !== 0x03 || !responder || !responses) {
    return unparsed('the OCSP answer is malformed');
  }
  const signer = await signerOf(der, responder, certificates, options);
  if (!signer) return unparsed('the OCSP answer is signed by nobody whom the authority has certified for it');
  const genuine = await verifySignature({
    content: sliceOf(der, content),
    algorithm: sliceOf(der, algorithm),
    signature: der.subarray(signature.content + 1, signature.end),
    publicKey: signer,
  });
  if (!genuine) return unparsed('the signature of the OCSP answer is wrong');
  const repeated = extensions?.tag === 0xa1 ? nonceIn(der, extensions) : undefined;
  if (repeated && options.nonce && !sameBytes(repeated, octetString(options.nonce)))
    return unparsed('the OCSP answer has the nonce of another request: it may be an old one that somebody has kept');
  const fresh = repeated && options.nonce ? { isFresh: true as const } : {};
  for (const single of childrenOf(der, responses) ?? []) {
    const answer = answerIn(der, single, options);
    if (answer) return parsed({ ...answer, ...fresh });
  }
  return unparsed('the OCSP answer says nothing of this certificate');
}

/** Public key of whoever the answer says has signed it: the issuer, or a delegate in force with the purpose OCSPSigning. */
async function signerOf(
  der: Uint8Array,
  responder: Element,
  certificates: Element | undefined,
  { issuer, at }: ReadOcspResponseOptions,
): Promise<Uint8Array | undefined> {
  const authority = certificateParts(issuer);
  if (!authority) return undefined;
  const inner = elementAt(der, responder.content, responder.end);
  const isNamed = async ({ subjectName, keyBits }: { subjectName: Uint8Array; keyBits: Uint8Array }) => {
    if (!inner) return false;
    if (responder.tag === 0xa1) return sameBytes(sliceOf(der, inner), subjectName);
    return sameBytes(der.subarray(inner.content, inner.end), await sha1(keyBits));
  };
  if (await isNamed(authority)) return authority.publicKey;
  const list = certificates && elementAt(der, certificates.content, certificates.end);
  for (const one of ((list && childrenOf(der, list)) ?? []).slice(0, 4)) {
    const bytes = Uint8Array.from(sliceOf(der, one));
    const parts = certificateParts(bytes);
    const facts = await readCertificate(bytes);
    if (!parts || !facts.ok || !(await isNamed(parts))) continue;
    const { notBefore, notAfter, extendedKeyUsages = [] } = facts.value;
    if (at < notBefore || at > notAfter || !extendedKeyUsages.includes(OCSP_SIGNING)) continue;
    if (sameBytes(parts.issuerName, authority.subjectName) && (await signedBy(bytes, authority.publicKey)))
      return parts.publicKey;
  }
  return undefined;
}

async function signedBy(certificate: Uint8Array, publicKey: Uint8Array): Promise<boolean> {
  const whole = elementAt(certificate, 0, certificate.length);
  const [content, algorithm, signature] = (whole && childrenOf(certificate, whole)) ?? [];
  if (!content || !algorithm || !signature) return false;
  return verifySignature({
    content: sliceOf(certificate, content),
    algorithm: sliceOf(certificate, algorithm),
    signature: certificate.subarray(signature.content + 1, signature.end),
    publicKey,
  });
}

function answerIn(
  der: Uint8Array,
  single: Element,
  { names, serial }: ReadOcspResponseOptions,
): VerifiedOcspAnswer | undefined {
  const [id, status, thisField, nextField] = childrenOf(der, single) ?? [];
  const [algorithm, name, key, number] = (id && childrenOf(der, id)) ?? [];
  const [oid] = (algorithm && childrenOf(der, algorithm)) ?? [];
  if (!oid || !name || !key || !number || !status || !thisField) return undefined;
  const hash = toHex(der.subarray(oid.content, oid.end));
  const wanted = hash === SHA1_HEX ? names.sha1 : hash === SHA256_HEX ? names.sha256 : undefined;
  const isIt =
    toHex(der.subarray(name.content, name.end)) === wanted?.name &&
    toHex(der.subarray(key.content, key.end)) === wanted.key &&
    serialText(der.subarray(number.content, number.end)) === serial;
  const thisUpdate = timeOf(der, thisField);
  if (!isIt || thisUpdate === undefined) return undefined;
  const nextInner = nextField?.tag === 0xa0 ? elementAt(der, nextField.content, nextField.end) : undefined;
  const nextUpdate = nextInner && timeOf(der, nextInner);
  const times = { thisUpdate, ...(nextUpdate === undefined ? {} : { nextUpdate }) };
  if (status.tag === 0x80) return { status: 'good', ...times };
  if (status.tag !== 0xa1) return { status: 'unknown', ...times };
  const when = elementAt(der, status.content, status.end);
  return { status: 'revoked', revokedAt: (when && timeOf(der, when)) ?? thisUpdate, ...times };
}
