import type { CertificateAuthority } from './certificate-authority.ts';
import { certificateParts } from './certificate-parts.ts';
import {
  element,
  enumerated,
  explicit,
  generalizedTime,
  objectIdentifier,
  octetString,
  sequence,
} from './der-writer.ts';
import { sha1 } from './key-identifier.ts';
import { OCSP_BASIC, OCSP_NONCE } from './ocsp-names.ts';
import { signedStructure } from './sign-der.ts';

/** What is known of a certificate. */
export type CertificateStatus =
  | { readonly status: 'good' | 'unknown' }
  | { readonly status: 'revoked'; readonly revokedAt: number };

export interface OcspResponseOptions {
  /** It answers for itself: no responder is delegated. */
  readonly authority: Pick<CertificateAuthority, 'certificate' | 'keys'>;
  readonly answers: readonly { readonly id: Uint8Array; readonly status: CertificateStatus }[];
  /** As it came in the request. */
  readonly nonce?: Uint8Array | undefined;
  /** Milliseconds since 1970, like `nextUpdate`. */
  readonly thisUpdate: number;
  readonly nextUpdate: number;
}

/** Makes a signed answer (RFC 6960 section 4.2) in DER. */
export async function createOcspResponse(options: OcspResponseOptions): Promise<Uint8Array<ArrayBuffer>> {
  const { authority, answers, nonce, thisUpdate, nextUpdate } = options;
  const parts = certificateParts(authority.certificate.der);
  if (!parts) throw new TypeError('the certificate of the authority cannot be read');
  const content = sequence(
    explicit(2, octetString(await sha1(parts.keyBits))),
    generalizedTime(thisUpdate),
    sequence(
      ...answers.map(({ id, status }) =>
        sequence(id, statusOf(status), generalizedTime(thisUpdate), explicit(0, generalizedTime(nextUpdate))),
      ),
    ),
    ...(nonce ? [explicit(1, sequence(sequence(objectIdentifier(OCSP_NONCE), octetString(nonce))))] : []),
  );
  const basic = await signedStructure(authority.keys, content);
  return sequence(enumerated(0), explicit(0, sequence(objectIdentifier(OCSP_BASIC), octetString(basic))));
}

function statusOf(status: CertificateStatus): Uint8Array {
  if (status.status === 'revoked') return element(0xa1, generalizedTime(status.revokedAt));
  return element(status.status === 'good' ? 0x80 : 0x82);
}

const REFUSALS = { malformedRequest: 1, internalError: 2, tryLater: 3, unauthorized: 6 } as const;
export type OcspRefusal = keyof typeof REFUSALS;

/** An answer that says only why there is none. Such answers are not signed (RFC 6960 section 2.3). */
export function ocspRefusal(refusal: OcspRefusal): Uint8Array<ArrayBuffer> {
  return sequence(enumerated(REFUSALS[refusal]));
}
