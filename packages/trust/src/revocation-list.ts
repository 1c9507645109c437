import type { CertificateAuthority } from './certificate-authority.ts';
import { certificateParts } from './certificate-parts.ts';
import {
  element,
  fromHex,
  headOf,
  minimal,
  objectIdentifier,
  octetString,
  sequence,
  smallInteger,
  time,
} from './der-writer.ts';
import { sha1 } from './key-identifier.ts';
import { ECDSA_SHA256, signedStructure } from './sign-der.ts';

/** A certificate that is revoked, as a list names it. */
export interface RevokedEntry {
  /** Lower-case hexadecimal, two digits a byte. */
  readonly serial: string;
  /** Milliseconds since 1970. */
  readonly revokedAt: number;
}

export interface RevocationListOptions {
  readonly authority: Pick<CertificateAuthority, 'certificate' | 'keys'>;
  /** Grows with each list of an authority. */
  readonly number: number;
  /** Milliseconds since 1970, like `nextUpdate`. */
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  /** In portions, so that other work gets its turn between them. */
  readonly revoked: AsyncIterable<readonly RevokedEntry[]>;
}

const VERSION_2 = smallInteger(1);

/**
 * Makes a certificate revocation list (RFC 5280 section 5) in DER, signed by the authority. The time that it takes is that of its
 * portions: nothing is done over all entries at once but copying and, off this thread, hashing.
 */
export async function createRevocationList(options: RevocationListOptions): Promise<Uint8Array<ArrayBuffer>> {
  const { authority, number, thisUpdate, nextUpdate, revoked } = options;
  const parts = certificateParts(authority.certificate.der);
  if (!parts) throw new TypeError('the certificate of the authority cannot be read');
  const entries = new EntryWriter();
  for await (const portion of revoked) for (const entry of portion) entries.add(entry);

  const extensions = [
    sequence(objectIdentifier('2.5.29.35'), octetString(sequence(element(0x80, await sha1(parts.keyBits))))),
    sequence(objectIdentifier('2.5.29.20'), octetString(smallInteger(number))),
  ];
  const content = element(
    0x30,
    VERSION_2,
    ECDSA_SHA256,
    parts.subjectName,
    time(thisUpdate),
    time(nextUpdate),
    // An empty list of entries must be absent (RFC 5280 section 5.1.2.6).
    ...entries.sequence(),
    element(0xa0, sequence(...extensions)),
  );
  return signedStructure(authority.keys, content);
}

/** Serial of 20 bytes with a sign byte, and the longer of the two forms of time. */
const LONGEST_ENTRY = 2 + 2 + 21 + 2 + 15;

/** Writes entries one behind the other into a buffer that doubles, because an object for each would cost more than the list. */
class EntryWriter {
  #bytes = new Uint8Array(64 * 1024);
  #length = 0;
  #second = Number.NaN;
  #time: Uint8Array = new Uint8Array();

  add({ serial, revokedAt }: RevokedEntry): void {
    const second = Math.floor(revokedAt / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#time = time(second * 1000);
    }
    const number = minimal(fromHex(serial));
    if (number.length > 21) throw new RangeError(`the serial ${serial} is longer than RFC 5280 permits`);
    if (this.#length + LONGEST_ENTRY > this.#bytes.length) this.#grow();
    const bytes = this.#bytes;
    let at = this.#length;
    bytes[at++] = 0x30;
    bytes[at++] = 2 + number.length + this.#time.length;
    bytes[at++] = 0x02;
    bytes[at++] = number.length;
    bytes.set(number, at);
    bytes.set(this.#time, at + number.length);
    this.#length = at + number.length + this.#time.length;
  }

  sequence(): Uint8Array[] {
    if (this.#length === 0) return [];
    return [Uint8Array.from(headOf(0x30, this.#length)), this.#bytes.subarray(0, this.#length)];
  }

  #grow(): void {
    const larger = new Uint8Array(this.#bytes.length * 2);
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}
