import type { Authority } from './authority.ts';

/** Every host name that a certificate lists which this server shows. */
export function shownNames({
  serverPairs,
  ownServerCertificate,
}: Pick<Authority, 'serverPairs' | 'ownServerCertificate'>): string[] {
  const facts = [ownServerCertificate().facts, ...serverPairs.all().map((pair) => pair.facts)];
  return facts.flatMap(({ subjectAlternativeNames }) => subjectAlternativeNames.dns);
}
