import { isIP } from 'node:net';
import type { CertificateFacts } from '@sallyport/trust';

/** True if one of the names is this host name; a wildcard stands for one label (RFC 9525 section 6.3). */
export function listsHost(names: readonly string[], host: string): boolean {
  const wanted = host.toLowerCase();
  const below = wanted.slice(wanted.indexOf('.'));
  return names.some((name) => {
    const listed = name.toLowerCase();
    return listed === wanted || (below !== wanted && listed.startsWith('*.') && listed.slice(1) === below);
  });
}

/** True if a certificate lists this host name or address. */
export function certifies(
  { subjectAlternativeNames: { dns, ip } }: Pick<CertificateFacts, 'subjectAlternativeNames'>,
  host: string,
): boolean {
  return isIP(host) === 0 ? listsHost(dns, host) : ip.includes(host);
}
