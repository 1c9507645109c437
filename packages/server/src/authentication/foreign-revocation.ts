import type { OnUnknown, RevocationMode, RevocationPolicy } from '@sallyport/model';
import type { CertificateFacts } from '@sallyport/trust';
import type { Fallen } from './standing.ts';

/** A certificate, who issued it, and the trusted authority above both. */
export interface AskedAbout {
  /** SHA-256 of the trusted authority. */
  readonly authority: string;
  readonly certificate: CertificateFacts;
  readonly issuer: CertificateFacts;
}

type SaidOf =
  | { readonly status: 'good' }
  | { readonly status: 'revoked'; readonly revokedAt: number; readonly url: string }
  | { readonly status: 'unknown'; readonly why: string };

/** News of revocation of imported authorities. */
export interface ForeignNews {
  /** How an organisation wants it for an authority that it trusts; undefined if it does not trust it. */
  policyOf(organisation: string, authority: string): Promise<RevocationPolicy | undefined>;
  askList(asked: AskedAbout, url: string): Promise<SaidOf>;
  askResponder(asked: AskedAbout, url: string): Promise<SaidOf>;
  /** What is known already; asks nobody. */
  known(
    authority: string,
    issuerNameHash: string,
    serial: string,
  ): { readonly revokedAt: number; readonly url: string } | undefined;
}

export type ForeignStanding =
  | { readonly fallen: Fallen }
  /** It counts; `note` says what could not be known and was let pass. */
  | { readonly fallen?: undefined; readonly note?: string };

/**
 * Whether an imported authority has revoked a certificate of the path, or one above it, as far as the organisation wants to know.
 * `path` begins with the certificate of the client and ends with the trusted authority.
 *
 * Of the client's certificate news must be had; of an authority above it only where its own certificate says where.
 */
export async function foreignStanding(
  news: ForeignNews,
  {
    organisation,
    authority,
    path,
  }: { readonly organisation: string; readonly authority: string; readonly path: readonly CertificateFacts[] },
): Promise<ForeignStanding> {
  const policy = await news.policyOf(organisation, authority);
  if (!policy || policy.mode === 'off') return {};
  const unknown: string[] = [];
  for (const [index, certificate] of path.slice(0, -1).entries()) {
    const issuer = path[index + 1];
    if (!issuer) break;
    const asked = { authority, certificate, issuer };
    const isLast = index === path.length - 2;
    for (const { kind, urls, ask } of sourcesOf(news, policy, certificate, isLast)) {
      if (urls.length === 0) {
        if (index === 0) unknown.push(`certificate ${certificate.serial} names no ${kind}`);
        continue;
      }
      const said = await firstThatKnows(urls, (url) => ask(asked, url));
      if (said.status === 'revoked') return { fallen: revokedBy(certificate.serial, said) };
      if (said.status === 'unknown') unknown.push(said.why);
    }
  }
  const [why] = unknown;
  if (why === undefined) return {};
  const text = `Whether the certificate is revoked is not known: ${why}.`;
  return policy.onUnknown === 'soft'
    ? { note: ` ${text} The authority is set to soft, so it counts.` }
    : { fallen: { reason: 'certificate_revocation_unknown', text, cure: cureOf(authority, policy.mode) } };
}

/** The text of a certificate that an imported authority has revoked. */
export function revokedBy(
  serial: string,
  { revokedAt, url }: { readonly revokedAt: number; readonly url: string },
): Fallen {
  return {
    reason: 'certificate_revoked',
    text: `The certificate, or one above it, ${serial} was revoked by its authority at ${new Date(revokedAt).toISOString()}, says ${url}.`,
    cure: 'Its authority revoked it, not this server: have a new certificate issued there; if the revocation was meant, someone still uses the old one.',
  };
}

interface Source {
  readonly kind: string;
  readonly urls: readonly string[];
  readonly ask: (asked: AskedAbout, url: string) => Promise<SaidOf>;
}

/** What an operator has named is of the trusted authority itself, so it replaces only what those name that it has issued. */
function sourcesOf(
  news: ForeignNews,
  { mode, listUrl, responderUrl }: RevocationPolicy,
  { revocation }: CertificateFacts,
  isLast: boolean,
): Source[] {
  const lists = listUrl !== undefined && isLast ? [listUrl] : revocation.lists;
  const responders = responderUrl !== undefined && isLast ? [responderUrl] : revocation.responders;
  return [
    ...(asks(mode, 'crl') ? [{ kind: 'revocation list', urls: lists, ask: news.askList }] : []),
    ...(asks(mode, 'ocsp') ? [{ kind: 'OCSP responder', urls: responders, ask: news.askResponder }] : []),
  ];
}

function asks(mode: RevocationMode, kind: 'crl' | 'ocsp'): boolean {
  return mode === kind || mode === 'crl-and-ocsp';
}

/** Several places of a certificate hold the same news; the next is asked only if the one before cannot say. */
async function firstThatKnows(urls: readonly string[], ask: (url: string) => Promise<SaidOf>): Promise<SaidOf> {
  let first: SaidOf | undefined;
  for (const url of urls) {
    const said = await ask(url);
    if (said.status !== 'unknown') return said;
    first ??= said;
  }
  return first ?? { status: 'unknown', why: 'nobody can be asked' };
}

const SHORT = 16;

function cureOf(authority: string, mode: RevocationMode): string {
  const id = authority.slice(0, SHORT);
  const place = mode === 'ocsp' ? '--ocsp-url URL' : '--crl-url URL';
  return `\`sallyport ca show ${id}\` tells how its lists stand. Mend what the trace names; where certificates name no place, give one (\`sallyport ca set ${id} ${place}\`); hosts inside your network must stand in revocation.allowedHosts. Until then \`sallyport ca set ${id} --on-unknown ${'soft' satisfies OnUnknown}\` lets them in unchecked.`;
}
