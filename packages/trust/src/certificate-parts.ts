import { childrenOf, type Element, elementAt } from './der-reader.ts';
import { toHex } from './fingerprint.ts';

/** The pieces of a certificate (RFC 5280 section 4.1) that lists and answers about revocation are made of, each in its own DER. */
export interface CertificateParts {
  /** Lower-case hexadecimal, no leading zero bytes. */
  readonly serial: string;
  readonly issuerName: Uint8Array;
  readonly subjectName: Uint8Array;
  /** SubjectPublicKeyInfo. */
  readonly publicKey: Uint8Array;
  /** Bits of the key inside {@link publicKey}, which are what identifiers of keys are hashes of. */
  readonly keyBits: Uint8Array;
}

/** Undefined if the bytes are not laid out as a certificate is. Nothing is verified. */
export function certificateParts(der: Uint8Array): CertificateParts | undefined {
  const fields = tbsFields(der);
  // An explicit version is the first of them in everything but version 1.
  const [serial, , issuer, , subject, publicKey] = fields?.[0]?.tag === 0xa0 ? fields.slice(1) : (fields ?? []);
  const bits = publicKey && childrenOf(der, publicKey)?.[1];
  if (serial?.tag !== 0x02 || !issuer || !subject || !bits) return undefined;
  return {
    serial: serialText(der.subarray(serial.content, serial.end)),
    issuerName: sliceOf(der, issuer),
    subjectName: sliceOf(der, subject),
    publicKey: sliceOf(der, publicKey),
    keyBits: der.subarray(bits.content + 1, bits.end),
  };
}

function tbsFields(der: Uint8Array): Element[] | undefined {
  const whole = elementAt(der, 0, der.length);
  const [content] = (whole && childrenOf(der, whole)) ?? [];
  return content && childrenOf(der, content);
}

/** The name of the subject, in DER. */
export function subjectOf(der: Uint8Array): Uint8Array | undefined {
  return certificateParts(der)?.subjectName;
}

/** Content of an extension, by the hexadecimal content of its object identifier; undefined if there is none. */
export function extensionValue(der: Uint8Array, oid: string): Uint8Array | undefined {
  const outer = tbsFields(der)?.find(({ tag }) => tag === 0xa3);
  const list = outer && elementAt(der, outer.content, outer.end);
  for (const extension of (list && childrenOf(der, list)) ?? []) {
    const [id, ...rest] = childrenOf(der, extension) ?? [];
    const value = rest.at(-1);
    if (id && value && toHex(der.subarray(id.content, id.end)) === oid) return der.subarray(value.content, value.end);
  }
  return undefined;
}

/** Bytes of an INTEGER as {@link CertificateParts.serial} is written. */
export function serialText(content: Uint8Array): string {
  let from = 0;
  while (from < content.length - 1 && content[from] === 0) from += 1;
  return toHex(content.subarray(from));
}

/** An element with its head. */
export function sliceOf(der: Uint8Array, { start, end }: Element): Uint8Array {
  return der.subarray(start, end);
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
