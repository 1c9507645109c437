import { extensionValue, sameBytes, sliceOf, subjectOf } from './certificate-parts.ts';
import { childrenOf, type Element, elementAt } from './der-reader.ts';
import { toHex } from './fingerprint.ts';

/** 2.5.29.30 and 2.5.29.17. */
const NAME_CONSTRAINTS = '551d1e';
const ALTERNATIVE_NAMES = '551d11';
/** 1.2.840.113549.1.9.1, emailAddress in a subject. */
const EMAIL_ADDRESS = '2a864886f70d010901';

/** Tags of GeneralName (RFC 5280 section 4.2.1.6) that are understood here. */
const EMAIL = 0x81;
const DNS = 0x82;
const DIRECTORY = 0xa4;
const URI = 0x86;
const ADDRESS = 0x87;
const UNDERSTOOD: ReadonlySet<number> = new Set([EMAIL, DNS, DIRECTORY, URI, ADDRESS]);

interface Name {
  readonly tag: number;
  /** Content; of a directory name its DER. */
  readonly value: Uint8Array;
}

/**
 * Whether an authority may certify the names of a certificate below it (RFC 5280 section 4.2.1.10), by its own name constraints
 * alone. What is malformed, or constrains a kind of name that is not understood and occurs in the certificate, permits nothing.
 * Both in DER.
 */
export function namesPermitted(authority: Uint8Array, certificate: Uint8Array): boolean {
  const value = extensionValue(authority, NAME_CONSTRAINTS);
  if (!value) return true;
  const whole = elementAt(value, 0, value.length);
  const parts = whole && childrenOf(value, whole);
  const names = namesOf(certificate);
  if (whole?.end !== value.length || !parts || !names) return false;
  const of = (tag: number): Name[] | undefined => {
    const list = parts.find((part) => part.tag === tag);
    return list ? subtreesIn(value, list) : [];
  };
  const [permitted, excluded] = [of(0xa0), of(0xa1)];
  if (!permitted || !excluded) return false;
  return names.every((name) => {
    const sameKind = ({ tag }: Name) => tag === name.tag;
    const [within, without] = [permitted.filter(sameKind), excluded.filter(sameKind)];
    if (within.length + without.length === 0) return true;
    if (!UNDERSTOOD.has(name.tag)) return false;
    if (without.some((base) => matches(name, base) !== false)) return false;
    return within.length === 0 || within.some((base) => matches(name, base) === true);
  });
}

/** GeneralSubtree with anything but a base, which RFC 5280 forbids, is malformed. */
function subtreesIn(der: Uint8Array, list: Element): Name[] | undefined {
  const found = (childrenOf(der, list) ?? []).map((subtree) => {
    const [base, ...rest] = childrenOf(der, subtree) ?? [];
    return base && rest.length === 0 ? nameIn(der, base) : undefined;
  });
  const names = found.filter((name) => name !== undefined);
  return names.length > 0 && names.length === found.length ? names : undefined;
}

function nameIn(der: Uint8Array, { tag, content, end }: Element): Name {
  return { tag, value: der.subarray(content, end) };
}

/** Alternative names, the subject unless it is empty, and addresses in the subject where no alternative name holds one. */
function namesOf(certificate: Uint8Array): Name[] | undefined {
  const subject = subjectOf(certificate);
  const value = extensionValue(certificate, ALTERNATIVE_NAMES);
  const whole = value && elementAt(value, 0, value.length);
  const elements = whole ? childrenOf(value, whole) : [];
  if (!subject || !elements) return undefined;
  const names = value ? elements.map((element) => nameIn(value, element)) : [];
  const rdns = rdnsOf(subject);
  if (!rdns) return undefined;
  if (rdns.length > 0) names.push({ tag: DIRECTORY, value: subject });
  if (!names.some(({ tag }) => tag === EMAIL)) {
    for (const { oid, text } of rdns.flat()) if (oid === EMAIL_ADDRESS) names.push({ tag: EMAIL, value: encode(text) });
  }
  return names;
}

/** True or false; undefined if the name cannot be held against the base, which counts for no permission and for every exclusion. */
function matches(name: Name, base: Name): boolean | undefined {
  switch (name.tag) {
    case EMAIL:
      return emailMatches(decode(name.value), decode(base.value));
    case DNS:
      return hostMatches(decode(name.value), decode(base.value), true);
    case URI: {
      // RFC 5280: a constraint on URIs is about their host, and one without a host, or with an address, does not pass.
      const host = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#@]*@)?([a-z0-9.-]+)(?::\d*)?(?:[/?#]|$)/i.exec(
        decode(name.value),
      )?.[1];
      if (host === undefined || /^[\d.]+$/.test(host)) return undefined;
      return hostMatches(host, decode(base.value), false);
    }
    case ADDRESS:
      return addressMatches(name.value, base.value);
    default:
      return directoryMatches(name.value, base.value);
  }
}

function emailMatches(name: string, base: string): boolean | undefined {
  const at = name.lastIndexOf('@');
  if (at < 1) return undefined;
  const host = name.slice(at + 1);
  const baseAt = base.lastIndexOf('@');
  if (baseAt < 0) return hostMatches(host, base, false);
  return name.slice(0, at) === base.slice(0, baseAt) && host.toLowerCase() === base.slice(baseAt + 1).toLowerCase();
}

/** A base with a dot in front stands for what is below it; without, for itself, and for DNS names for what is below it too. */
function hostMatches(name: string, base: string, below: boolean): boolean {
  const [host, wanted] = [name.toLowerCase().replace(/\.$/, ''), base.toLowerCase()];
  if (wanted === '') return true;
  if (wanted.startsWith('.')) return host.endsWith(wanted) && host.length > wanted.length;
  return host === wanted || (below && host.endsWith(`.${wanted}`));
}

function addressMatches(name: Uint8Array, base: Uint8Array): boolean | undefined {
  if (base.length !== 2 * name.length) return base.length === 8 || base.length === 32 ? false : undefined;
  return name.every((byte, index) => (byte & (base[name.length + index] ?? 0)) === (base[index] ?? 0));
}

/** The base is the beginning of the name. */
function directoryMatches(name: Uint8Array, base: Uint8Array): boolean | undefined {
  const [rdns, wanted] = [rdnsOf(name), rdnsOf(base)];
  if (!rdns || !wanted) return undefined;
  return wanted.every((rdn, index) => {
    const own = rdns[index];
    return own?.length === rdn.length && rdn.every((part) => own.some((other) => samePart(part, other)));
  });
}

interface Part {
  readonly oid: string;
  readonly text: string;
  readonly value: Uint8Array;
}

/** RFC 5280 section 7.1: letter case and the width of spaces do not count in names of text. */
function samePart(a: Part, b: Part): boolean {
  if (a.oid !== b.oid) return false;
  const plain = (text: string) => text.trim().replace(/\s+/g, ' ').toLowerCase();
  return sameBytes(a.value, b.value) || (a.text !== '' && plain(a.text) === plain(b.text));
}

/** PrintableString, UTF8String, IA5String. */
const TEXTS: ReadonlySet<number> = new Set([0x13, 0x0c, 0x16]);

function rdnsOf(name: Uint8Array): Part[][] | undefined {
  const whole = elementAt(name, 0, name.length);
  const sets = whole?.tag === 0x30 && whole.end === name.length ? childrenOf(name, whole) : undefined;
  return sets?.map((set) =>
    (childrenOf(name, set) ?? []).map((pair) => {
      const [oid, value] = childrenOf(name, pair) ?? [];
      return {
        oid: oid ? toHex(name.subarray(oid.content, oid.end)) : '',
        text: value && TEXTS.has(value.tag) ? decode(name.subarray(value.content, value.end)) : '',
        value: value ? sliceOf(name, value) : name,
      };
    }),
  );
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
