import { principalName, type RefusalReason } from '@sallyport/model';
import type { TransportFacts } from '../events/transport-facts.ts';
import type { Grounds } from './authenticator.ts';
import { type CertificateTrust, certificateStanding } from './certificate-standing.ts';
import { CONNECTION_LEVELS, type Proof, shownProofs } from './connection-level.ts';
import { type IssuerTrust, issuerStanding } from './issuer-standing.ts';
import type { Find, KnownPrincipal } from './known-principal.ts';
import { type Fallen, secretStanding, suspension } from './standing.ts';

export type GroundsStanding =
  | 'stands'
  | { readonly ended: RefusalReason; readonly text: string; readonly cure?: string };

/**
 * Judges the grounds of a live session anew, from the registry as it is now. `transport` is how the client is connected; without
 * it, the connection security is not looked at.
 */
export function regrounds({
  findPrincipal,
  trust,
  issuers,
  now,
}: {
  readonly findPrincipal: Find;
  /** Without it no session stands on a certificate. */
  readonly trust?: Pick<CertificateTrust, 'trusts' | 'findBySerial' | 'findPin' | 'news'>;
  /** Without it no session stands on an access token. */
  readonly issuers?: IssuerTrust;
  readonly now: () => number;
}) {
  return async (grounds: Grounds, transport?: TransportFacts): Promise<GroundsStanding> => {
    const name = principalName(grounds.principal);
    const known = await findPrincipal(name);
    if (!known) return { ended: 'unknown_identity', text: `${name} was removed.` };
    const fallen =
      (await certificateFallen(grounds, name, trust, now())) ??
      secretStanding(known, grounds, now()) ??
      (await issuerStanding(issuers, grounds, now())) ??
      suspension(known);
    if (fallen) {
      return { ended: fallen.reason, text: fallen.text, ...(fallen.cure === undefined ? {} : { cure: fallen.cure }) };
    }
    const before = [...grounds.roles].sort().join();
    const after = [...known.roles].sort().join();
    if (before !== after) {
      return {
        ended: 'rights_changed',
        text: `The roles of ${name} were changed from ${before || 'none'} to ${after || 'none'}.`,
      };
    }
    return (transport && (belowLevel(known, grounds, transport) ?? withoutCode(known, grounds))) ?? 'stands';
  };
}

/** Who came in before a one-time code was demanded comes again, and gives one. */
function withoutCode({ principal, unlock }: KnownPrincipal, { presence }: Grounds): GroundsStanding | undefined {
  if (unlock === undefined || presence !== undefined) return undefined;
  return {
    ended: 'unlock_required',
    text: `A one-time code is now demanded of ${principalName(principal)}, which came in without one.`,
    cure: 'Connect again, ask for a code and give it; docs/guide/one-time-code.md shows how.',
  };
}

async function certificateFallen(
  { principal, credentialKind, certificate }: Grounds,
  name: string,
  trust: Pick<CertificateTrust, 'trusts' | 'findBySerial' | 'findPin' | 'news'> | undefined,
  now: number,
): Promise<Fallen | undefined> {
  if (certificate === undefined && credentialKind !== 'certificate') return undefined;
  if (certificate === undefined || trust === undefined || principal.kind === 'operator') {
    return { reason: 'certificate_invalid', text: `The certificate of ${name} cannot be judged any more.` };
  }
  return certificateStanding(trust, certificate, { organisation: principal.organisation, principal: name }, now);
}

/** A level that was raised under a live session holds for it too. */
function belowLevel(
  { principal, security }: KnownPrincipal,
  grounds: Grounds,
  transport: TransportFacts,
): GroundsStanding | undefined {
  const level = CONNECTION_LEVELS[security];
  const name = principalName(principal);
  if (level.transport === 'tls' && !transport.secure) {
    return {
      ended: 'tls_required',
      text: `Connection security ${security} now holds for ${name}, which is connected by ${transport.transport} without TLS.`,
      cure: 'Connect with TLS (port 8883), or set the connection security back by name.',
    };
  }
  const shown = shownProofs(grounds);
  const fits = (proof: Proof) => shown.includes(proof);
  if (level.require === 'all' ? level.proofs.every(fits) : level.proofs.some(fits)) return undefined;
  return {
    ended: level.proofs.includes('certificate') ? 'certificate_required' : 'missing_credential',
    text: `Connection security ${security} now holds for ${name}, which has shown ${shown.join(' and ')} only.`,
  };
}
