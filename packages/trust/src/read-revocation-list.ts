import { type Parsed, parsed, unparsed } from '@sallyport/model';
import { readCertificate } from './certificate.ts';
import { certificateParts, sameBytes, serialText, sliceOf } from './certificate-parts.ts';
import { childrenOf, type Element, elementAt } from './der-reader.ts';
import { timeOf } from './der-time.ts';
import { toHex } from './fingerprint.ts';
import { derFromPem } from './pem.ts';
import { verifySignature } from './verify-signature.ts';

/** A revocation list whose signature was checked. */
export interface VerifiedRevocationList {
  readonly der: Uint8Array;
  /** Milliseconds since 1970, like the other times. */
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  /** When each serial was revoked; serials as in `CertificateFacts.serial`. */
  readonly revoked: ReadonlyMap<string, number>;
}

export interface ReadRevocationListOptions {
  /** DER, or PEM with the label `X509 CRL`. */
  readonly list: Uint8Array;
  /** DER of the certificate that must have signed it. */
  readonly issuer: Uint8Array;
}

/** A list of a million certificates with long serials has about 40 MB. */
export const REVOCATION_LIST_BYTES_MAXIMUM = 64 * 1024 * 1024;
/** After so many entries other work gets its turn. */
const PORTION = 5000;

/**
 * Reads a revocation list (RFC 5280 section 5) and verifies that it is that of the issuer. Lists that are only a part of the truth
 * (delta, indirect, for some reasons only) and those with critical extensions that are not understood are refused.
 */
export async function readRevocationList({
  list,
  issuer,
}: ReadRevocationListOptions): Promise<Parsed<VerifiedRevocationList>> {
  if (list.length > REVOCATION_LIST_BYTES_MAXIMUM) return unparsed('the revocation list is too large');
  const der = list[0] === 0x30 ? list : fromText(list);
  const parts = certificateParts(issuer);
  const facts = await readCertificate(issuer);
  if (!der || !parts || !facts.ok) return unparsed('the bytes are no revocation list');
  const whole = elementAt(der, 0, der.length);
  const [content, algorithm, signature, ...rest] = (whole && childrenOf(der, whole)) ?? [];
  if (whole?.end !== der.length || !content || !algorithm || signature?.tag !== 0x03 || rest.length > 0) {
    return unparsed('the bytes are no revocation list');
  }
  const fields = childrenOf(der, content) ?? [];
  // The version is there in every list that has extensions.
  const at = fields[0]?.tag === 0x02 ? 1 : 0;
  const [inner, name, thisField, nextField] = fields.slice(at);
  if (!inner || !name || !thisField || !sameBytes(sliceOf(der, inner), sliceOf(der, algorithm))) {
    return unparsed('the bytes are no revocation list');
  }
  if (!sameBytes(sliceOf(der, name), parts.subjectName)) return unparsed('the revocation list is of another authority');
  if (facts.value.keyUsages && !facts.value.keyUsages.includes('cRLSign')) {
    return unparsed('the authority may not sign revocation lists (its key usage has no cRLSign)');
  }
  const genuine = await verifySignature({
    content: sliceOf(der, content),
    algorithm: sliceOf(der, algorithm),
    signature: der.subarray(signature.content + 1, signature.end),
    publicKey: parts.publicKey,
  });
  if (!genuine) return unparsed('the signature of the revocation list is wrong, or of a kind that is not accepted');

  const thisUpdate = timeOf(der, thisField);
  const nextUpdate = nextField && timeOf(der, nextField);
  if (thisUpdate === undefined) return unparsed('the revocation list has no date');
  if (nextUpdate === undefined) return unparsed('the revocation list does not say when the next one comes');
  const others = fields.slice(at + 4);
  const extensions = others.find(({ tag }) => tag === 0xa0);
  const partial = extensions && partialBecause(der, extensions);
  if (partial) return unparsed(partial);
  const entries = others.find(({ tag }) => tag === 0x30);
  const revoked = new Map<string, number>();
  return entries && !(await readEntries(der, entries, revoked))
    ? unparsed('an entry of the revocation list is malformed, or says something critical that is not understood')
    : parsed({ der, thisUpdate, nextUpdate, revoked });
}

function fromText(list: Uint8Array): Uint8Array | undefined {
  return derFromPem(new TextDecoder('latin1').decode(list), 'X509 CRL')[0];
}

async function readEntries(der: Uint8Array, entries: Element, revoked: Map<string, number>): Promise<boolean> {
  let count = 0;
  for (let at = entries.content; at < entries.end; ) {
    const entry = elementAt(der, at, entries.end);
    const serial = entry && elementAt(der, entry.content, entry.end);
    const when = entry && serial && elementAt(der, serial.end, entry.end);
    const revokedAt = when && timeOf(der, when);
    if (serial?.tag !== 0x02 || revokedAt === undefined || !entry || !when) return false;
    if (when.end < entry.end && hasCritical(der, when.end, entry.end)) return false;
    revoked.set(serialText(der.subarray(serial.content, serial.end)), revokedAt);
    at = entry.end;
    if (++count % PORTION === 0) await new Promise((resolve) => setTimeout(resolve));
  }
  return true;
}

function hasCritical(der: Uint8Array, from: number, to: number): boolean {
  const list = elementAt(der, from, to);
  return !list || extensionsIn(der, list).some(({ critical }) => critical);
}

interface Extension {
  readonly oid: string;
  readonly critical: boolean;
  readonly value: Element | undefined;
}

function extensionsIn(der: Uint8Array, list: Element): Extension[] {
  return (childrenOf(der, list) ?? []).map((extension) => {
    const [oid, ...rest] = childrenOf(der, extension) ?? [];
    const [flag, value] = rest.length > 1 ? rest : [undefined, rest[0]];
    return {
      oid: oid ? toHex(der.subarray(oid.content, oid.end)) : '',
      critical: flag?.tag === 0x01 && der[flag.content] !== 0,
      value,
    };
  });
}

/** 2.5.29.27: the list says only what has changed since another one. */
const DELTA_INDICATOR = '551d1b';
/** 2.5.29.28: which part of the truth the list holds. */
const ISSUING_DISTRIBUTION_POINT = '551d1c';
/** Of that, the name of the list, and that it is of end entities only: neither hides a client's certificate. */
const HARMLESS = new Set([0xa0, 0x81]);
/** RFC 5280 section 5.2.5, by the tags of its fields. */
const PARTIAL: Readonly<Record<number, string>> = {
  130: 'the revocation list is of authorities only, and says nothing of clients',
  131: 'the revocation list is for some reasons of revocation only; one for all reasons is needed',
  132: 'the revocation list is an indirect one: it speaks for other authorities too, and such are not taken; give the address of the own list of the authority',
  133: 'the revocation list is of attribute certificates only',
};

function partialBecause(der: Uint8Array, outer: Element): string | undefined {
  const list = elementAt(der, outer.content, outer.end);
  if (!list) return 'the extensions of the revocation list are malformed';
  let unknown: string | undefined;
  for (const { oid, critical, value } of extensionsIn(der, list)) {
    if (oid === DELTA_INDICATOR) {
      return 'the revocation list is a delta: it says only what has changed since another one; give the address of the whole (base) list';
    }
    if (oid === ISSUING_DISTRIBUTION_POINT && value) {
      const scope = elementAt(der, value.content, value.end);
      const fields = scope && childrenOf(der, scope);
      if (!fields) return 'the extensions of the revocation list are malformed';
      const partial = fields.find(({ tag }) => !HARMLESS.has(tag));
      if (partial) return PARTIAL[partial.tag] ?? 'the revocation list holds only a part of the revoked certificates';
    } else if (critical) unknown ??= 'the revocation list has a critical extension that is not understood';
  }
  return unknown;
}
