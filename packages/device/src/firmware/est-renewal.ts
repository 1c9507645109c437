import type { DeviceCertificate } from '../boot/device-certificate.ts';
import { renewByEst } from '../renew-by-est.ts';

/** Has a new certificate issued to a device that shows the one it has. */
export type RenewCertificate = (current: DeviceCertificate) => Promise<DeviceCertificate>;

export interface EstRenewalOptions {
  readonly host: string;
  /** Port of enrolment, where clients are asked for a certificate; 8444 by default. */
  readonly port?: number;
  readonly organisation: string;
  /** Root to trust, PEM or path; the authorities of the runtime if left out. */
  readonly ca?: string;
}

/**
 * Renews over EST (RFC 7030 section 4.2.2): a new key is made here and stays here, and the certificate that comes back must be for it and for
 * the same device.
 *
 * The answer rejects with Failure `certificate_not_renewed`.
 */
export function estRenewal({ host, port = 8444, organisation, ca }: EstRenewalOptions): RenewCertificate {
  const place = { est: `https://${host}:${port}/.well-known/est/${organisation}`, ...(ca === undefined ? {} : { ca }) };
  return (current) => renewByEst(place, current, new AbortController().signal);
}
