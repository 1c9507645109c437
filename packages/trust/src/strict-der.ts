/** One element of DER: its tag, and where it and its content lie. */
interface Element {
  readonly tag: number;
  readonly start: number;
  readonly content: number;
  readonly end: number;
}

const SEQUENCE = 0x30;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const VERSION = 0xa0;
const CONSTRUCTED = 0x20;
const DEPTH_MAXIMUM = 24;

/**
 * True if the bytes are exactly one signed structure (RFC 5280 section 4.1.1): content, algorithm, signature, in definite minimal
 * lengths with nothing left over.
 *
 * The library's parser overlooks small deviations. A signature does not cover the bytes around it, so a stranger could otherwise
 * write one certificate in many ways, each with a fingerprint of its own.
 */
export function isSignedStructure(der: Uint8Array): boolean {
  const whole = elementAt(der, 0, der.length);
  if (whole?.tag !== SEQUENCE || whole.end !== der.length || !isStrict(der, whole, 0)) return false;
  const [content, algorithm, signature, ...rest] = childrenOf(der, whole) ?? [];
  return (
    content?.tag === SEQUENCE &&
    algorithm?.tag === SEQUENCE &&
    signature?.tag === BIT_STRING &&
    der[signature.content] === 0 &&
    rest.length === 0 &&
    (!isEcdsa(der, algorithm) || isEcdsaValue(der, signature))
  );
}

/** True if a certificate names outside its signed content the algorithm that it names inside (RFC 5280 section 4.1.1.2). */
export function namesOneAlgorithm(der: Uint8Array): boolean {
  const whole = elementAt(der, 0, der.length);
  const [content, outer] = (whole && childrenOf(der, whole)) ?? [];
  const fields = (content && childrenOf(der, content)) ?? [];
  const inner = fields[fields[0]?.tag === VERSION ? 2 : 1];
  if (!inner || !outer || inner.end - inner.start !== outer.end - outer.start) return false;
  for (let i = 0; i < outer.end - outer.start; i++) {
    if (der[inner.start + i] !== der[outer.start + i]) return false;
  }
  return true;
}

/** 1.2.840.10045.4, under which the ECDSA algorithms are numbered. */
const ECDSA = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04];

function isEcdsa(der: Uint8Array, algorithm: Element): boolean {
  const [oid] = childrenOf(der, algorithm) ?? [];
  return oid !== undefined && ECDSA.every((byte, index) => der[oid.content + index] === byte);
}

/** RFC 3279 section 2.2.3: two positive integers in minimal form, inside the bit string. */
function isEcdsaValue(der: Uint8Array, { content, end }: Element): boolean {
  const pair = elementAt(der, content + 1, end);
  if (pair?.tag !== SEQUENCE || pair.end !== end) return false;
  const integers = childrenOf(der, pair) ?? [];
  return integers.length === 2 && integers.every((integer) => isPositiveInteger(der, integer));
}

function isPositiveInteger(der: Uint8Array, { tag, content, end }: Element): boolean {
  const first = der[content] ?? 0x80;
  if (tag !== INTEGER || content === end || first >= 0x80) return false;
  return first !== 0 || (end - content > 1 && (der[content + 1] ?? 0) >= 0x80);
}

function isStrict(der: Uint8Array, element: Element, depth: number): boolean {
  if ((element.tag & CONSTRUCTED) === 0) return true;
  if (depth >= DEPTH_MAXIMUM) return false;
  return childrenOf(der, element)?.every((child) => isStrict(der, child, depth + 1)) ?? false;
}

/** Undefined if the elements do not fill their parent exactly. */
function childrenOf(der: Uint8Array, parent: Element): Element[] | undefined {
  const children: Element[] = [];
  for (let at = parent.content; at < parent.end; ) {
    const child = elementAt(der, at, parent.end);
    if (!child) return undefined;
    children.push(child);
    at = child.end;
  }
  return children;
}

/** ITU-T X.690 sections 8.1 and 10.1. Tags of several bytes occur in no certificate. */
function elementAt(der: Uint8Array, start: number, limit: number): Element | undefined {
  const tag = der[start];
  const first = der[start + 1];
  if (tag === undefined || first === undefined || start + 2 > limit || (tag & 0x1f) === 0x1f) return undefined;
  if (first < 0x80) return within({ tag, start, content: start + 2, end: start + 2 + first }, limit);
  const count = first - 0x80;
  const content = start + 2 + count;
  if (count === 0 || count > 3 || content > limit) return undefined;
  let length = 0;
  for (let i = start + 2; i < content; i++) length = length * 256 + (der[i] ?? 0);
  const isMinimal = length >= 0x80 && length >= 256 ** (count - 1);
  return isMinimal ? within({ tag, start, content, end: content + length }, limit) : undefined;
}

function within(element: Element, limit: number): Element | undefined {
  return element.end <= limit ? element : undefined;
}
