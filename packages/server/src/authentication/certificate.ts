import {
  type ClientId,
  clientIdOf,
  type Principal,
  parseClientId,
  parsePrincipal,
  principalName,
} from '@sallyport/model';
import { type CertificateFacts, readCertificate } from '@sallyport/trust';
import type { Authenticator, CertificateGrounds, Evidence, Verdict } from './authenticator.ts';
import { type CertificateName, certificateNames, nameFits, principalNamed } from './certificate-names.ts';
import { type CertificateTrust, certificateStanding } from './certificate-standing.ts';
import { ChainMemory } from './chain-memory.ts';
import { foreignStanding } from './foreign-revocation.ts';
import type { Find, KnownPrincipal } from './known-principal.ts';
import type { RegisterUnknown } from './register-unknown.ts';
import { suspension } from './standing.ts';
import { abstained } from './verdicts.ts';
import { printable, verifyCertificate } from './verify-certificate.ts';

export interface CertificateOptions {
  readonly trust: CertificateTrust;
  readonly findPrincipal: Find;
  readonly organisationExists: (id: string) => boolean | Promise<boolean>;
  /** Registers devices that are unknown; left out, nobody is registered by a certificate. */
  readonly registerUnknown?: RegisterUnknown;
  readonly now: () => number;
}

/** Whom a certificate that counts proves, and the client id that it gives the client in place of its own. */
interface Named {
  readonly principal: Principal;
  readonly clientId?: ClientId;
}

/**
 * Clients prove who they are by the certificate of their TLS handshake. The names are those of watson-iot.md section 3.4; the
 * organisation is that of the server name, else of the client id, else of the authority that issued the certificate. A resumed
 * handshake is judged as a new one is.
 */
export function certificateAuthenticator(options: CertificateOptions): Authenticator {
  const { trust, findPrincipal, now } = options;
  const memory = new ChainMemory();

  async function judge(evidence: Evidence, der: Uint8Array): Promise<Verdict> {
    const { transport } = evidence;
    const read = await readCertificate(der);
    if (!read.ok) return refused('certificate_invalid', `The client certificate: ${read.problem}.`);
    const leaf = read.value;
    const pin = await trust.findPin(leaf.fingerprintSha256);
    if (pin?.principal !== undefined) return judgePinned(evidence, leaf, pin.principal);

    const byServerName = await organisationOfServerName(options, transport.serverName);
    const claimed = evidence.clientId.kind === 'plain' ? undefined : evidence.clientId.organisation;
    if (byServerName !== undefined && claimed !== undefined && byServerName !== claimed) {
      return refused('server_name_mismatch', 'The server name and the client id name different organisations.', {
        what: 'organisation',
        found: claimed,
        expected: `${byServerName}, by the server name ${transport.serverName}`,
      });
    }
    const organisation = byServerName ?? claimed;
    const verification = await verifyCertificate({ trust, memory, now: now() }, transport, leaf, organisation);
    if (!verification.ok) return refused(verification.reason, verification.text);

    const ours = verification.led.find(({ grounds }) => grounds.authority === 'builtin');
    if (ours) return judgeOwn(evidence, leaf, ours.grounds, organisation, byServerName !== undefined);
    const [led, second] = verification.led;
    const home = organisation ?? led?.organisation;
    if (!led || home === undefined || second) {
      return refused('certificate_name_mismatch', 'Several organisations trust the authority of the certificate.', {
        what: 'organisation',
        found: 'none in the server name and in the client id',
        expected: 'one of them',
      });
    }
    const named = namedBy(evidence, certificateNames(leaf), home, byServerName !== undefined);
    if (!named) return wrongName(evidence, leaf);
    const { grounds, path } = led;
    const foreign = trust.news
      ? await foreignStanding(trust.news, { organisation: home, authority: grounds.authority, path })
      : {};
    if (foreign.fallen) return refused(foreign.fallen.reason, foreign.fallen.text, undefined, foreign.fallen);
    const turnedAway = await registered(evidence, leaf, grounds, named.principal);
    return turnedAway ?? conclude(leaf, grounds, named, home, foreign.note);
  }

  /** A pinned certificate names its principal by the registry; what it says of itself does not matter. */
  async function judgePinned(evidence: Evidence, leaf: CertificateFacts, owner: string): Promise<Verdict> {
    if (now() < leaf.notBefore) {
      const from = new Date(leaf.notBefore).toISOString();
      return refused('certificate_not_yet_valid', `The pinned certificate ${leaf.serial} is valid from ${from} on.`);
    }
    const principal = principalOf(owner);
    if (!fitsOwner(evidence, principal)) return wrongOwner(evidence, owner);
    const { fingerprintSha256: fingerprint, issuerNameHash, serial, notAfter } = leaf;
    const path = [{ issuerNameHash, serial }];
    const grounds = { authority: 'pinned', fingerprint, issuerNameHash, serial, path, notAfter };
    return conclude(leaf, grounds, { principal }, principal.organisation);
  }

  /** A certificate of this server counts for the principal that it was issued to, and for nobody of the same name elsewhere. */
  async function judgeOwn(
    evidence: Evidence,
    leaf: CertificateFacts,
    grounds: CertificateGrounds,
    organisation: string | undefined,
    mayRename: boolean,
  ): Promise<Verdict> {
    const rows = await trust.findBySerial(grounds);
    if (rows.some(({ kind }) => kind === 'claim')) {
      return refused('claim_only', `The certificate ${leaf.serial} is a claim, which may do nothing but enrol.`);
    }
    const record = rows.find(({ kind }) => kind === 'issued');
    if (record?.principal === undefined) {
      return refused('certificate_not_on_record', `The certificate ${leaf.serial} of this server is not on record.`);
    }
    const principal = principalOf(record.principal);
    if (organisation !== undefined && organisation !== principal.organisation) {
      return wrongOwner(evidence, record.principal);
    }
    const renames = mayRename && watson(evidence) && principal.kind !== 'application';
    if (!renames && !fitsOwner(evidence, principal)) return wrongOwner(evidence, record.principal);
    return conclude(leaf, grounds, renames ? renamed(principal) : { principal }, principal.organisation);
  }

  /**
   * Has an unknown device registered whose authority may do so; why not, if it was not. Only a certificate that names the device itself
   * and counts does that: one for a whole type, or one that was revoked, would let its holder invent devices.
   */
  async function registered(
    { transport }: Evidence,
    leaf: CertificateFacts,
    grounds: CertificateGrounds,
    principal: Principal,
  ): Promise<Verdict | undefined> {
    if (!options.registerUnknown || principal.kind !== 'device') return undefined;
    const { organisation, type, id } = principal;
    const name = principalName(principal);
    const exact = certificateNames(leaf).some((one) => one.kind === 'device' && one.type === type && one.id === id);
    if (!exact || (await findPrincipal(name)) !== undefined) return undefined;
    const fallen = await certificateStanding(trust, grounds, { organisation, principal: name }, now());
    if (fallen) return refused(fallen.reason, fallen.text, undefined, fallen);
    const answer = await options.registerUnknown({
      organisation,
      type,
      id,
      authority: grounds.authority,
      fingerprint: grounds.fingerprint,
      address: transport.remoteAddress,
    });
    return answer === 'registered' ? undefined : refused(answer.reason, answer.text, undefined, answer);
  }

  async function conclude(
    leaf: CertificateFacts,
    certificate: CertificateGrounds,
    { principal, clientId }: Named,
    organisation: string,
    note = '',
  ): Promise<Verdict> {
    const name = principalName(principal);
    const known = await findPrincipal(name);
    if (!known) {
      return refused('unknown_identity', `The certificate is that of ${name}, which is not registered.`, undefined, {
        cure: 'Register it first: `sallyport device add`, `sallyport gateway add` or `sallyport application add`.',
      });
    }
    const fallen =
      (await certificateStanding(trust, certificate, { organisation, principal: name }, now())) ?? suspension(known);
    if (fallen) return refused(fallen.reason, fallen.text, undefined, fallen);
    return acceptedBy(known, leaf, certificate, clientId, note);
  }

  return {
    name: 'certificate',
    authenticate(evidence: Evidence): Verdict | Promise<Verdict> {
      const { secure, certificate } = evidence.transport;
      if (!secure || certificate === undefined) return abstained('No client certificate was shown.');
      return judge(evidence, certificate);
    },
  };
}

/** Of a client id that is, or tries to be, one of the Watson IoT Platform. */
function watson({ clientId, clientIdProblem }: Evidence): boolean {
  return clientId.kind !== 'plain' || clientIdProblem !== undefined;
}

function namedBy(
  evidence: Evidence,
  names: readonly CertificateName[],
  organisation: string,
  mayRename: boolean,
): Named | undefined {
  const { clientId } = evidence;
  const exact = names.filter(({ id }) => id !== '');
  if (watson(evidence)) {
    // With a server name the certificate's own name wins over the client id, as on the Watson IoT Platform.
    const own = mayRename ? exact.find(({ kind }) => kind !== 'application') : undefined;
    const principal = own && principalNamed(own, organisation);
    if (principal) return renamed(principal);
    if (clientId.kind === 'plain' || !names.some((name) => nameFits(name, clientId))) return undefined;
    return { principal: ownerOf(clientId) };
  }
  const [first] = exact;
  const principal = first && principalNamed(first, organisation);
  return principal && { principal };
}

function renamed(principal: Principal): Named {
  const clientId = parseClientId(clientIdOf(principal));
  if (!clientId.ok) throw new TypeError(`${principalName(principal)} has no client id`);
  return { principal, clientId: clientId.value };
}

function ownerOf(clientId: Exclude<ClientId, { kind: 'plain' }>): Principal {
  const { organisation, id } = clientId;
  if (clientId.kind === 'application') return { kind: 'application', organisation, id };
  return { kind: clientId.kind, organisation, type: clientId.type, id };
}

/** A plain client id claims nothing, so it fits everybody; whether it may be used is the second door's question. */
function fitsOwner({ clientId, clientIdProblem }: Evidence, principal: Principal): boolean {
  if (clientIdProblem !== undefined) return false;
  return clientId.kind === 'plain' || principalName(ownerOf(clientId)) === principalName(principal);
}

function principalOf(written: string): Exclude<Principal, { kind: 'operator' }> {
  const principal = parsePrincipal(written);
  if (!principal.ok || principal.value.kind === 'operator') {
    throw new TypeError(`the registry has a certificate of "${written}"`);
  }
  return principal.value;
}

/** The first label of the server name, if it is an organisation; the server's own names select nobody. */
async function organisationOfServerName(
  { organisationExists }: CertificateOptions,
  serverName: string | undefined,
): Promise<string | undefined> {
  const [label = '', ...rest] = (serverName ?? '').split('.');
  if (label === '' || rest.length === 0) return undefined;
  return (await organisationExists(label)) ? label : undefined;
}

type Compared = { readonly what: string; readonly found: string; readonly expected: string };

/** The stage is that of certificates, so that a trace keeps the order in which things were looked at. */
function refused(
  reason: Extract<Verdict, { outcome: 'rejected' }>['reason'],
  text: string,
  compared?: Compared,
  { cure }: { readonly cure?: string | undefined } = {},
): Verdict {
  return {
    outcome: 'rejected',
    reason,
    step: { stage: 'certificate', outcome: 'failed', text, ...(compared ? { compared } : {}) },
    ...(cure === undefined ? {} : { cure }),
  };
}

function wrongName({ clientId }: Evidence, leaf: CertificateFacts): Verdict {
  const { email, uri } = leaf.subjectAlternativeNames;
  const names = [leaf.commonName ?? '', ...email, ...uri].filter((name) => name !== '');
  return refused('certificate_name_mismatch', 'The certificate does not name this client.', {
    what: 'common name, email and URI of the certificate',
    found: printable(names.join(', ')) || 'none',
    expected: expectedName(clientId),
  });
}

function expectedName(clientId: ClientId): string {
  if (clientId.kind === 'plain') return 'd:TYPE:ID, g:TYPE:ID or a:APPLICATION';
  if (clientId.kind === 'application') return `a:${clientId.id}`;
  const letter = clientId.kind === 'device' ? 'd' : 'g';
  return `${letter}:${clientId.type}:${clientId.id} or ${letter}:${clientId.type}:`;
}

function wrongOwner({ clientId }: Evidence, owner: string): Verdict {
  return refused('certificate_name_mismatch', `The certificate is that of ${owner}.`, {
    what: 'client id',
    found: printable(clientId.text),
    expected: clientIdOf(principalOf(owner)),
  });
}

function acceptedBy(
  { principal, roles }: KnownPrincipal,
  leaf: CertificateFacts,
  certificate: CertificateGrounds,
  clientId: ClientId | undefined,
  note: string,
): Verdict {
  const by =
    { builtin: 'issued by this server', pinned: 'pinned to it' }[certificate.authority] ?? 'of a trusted authority';
  const renaming = clientId === undefined ? '' : ` Its name gives the client the client id ${clientId.text}.`;
  return {
    outcome: 'accepted',
    grounds: {
      principal,
      credential: certificate.fingerprint,
      credentialKind: 'certificate',
      roles,
      proofs: ['certificate'],
      certificate,
      expiresAt: certificate.notAfter,
    },
    step: {
      stage: 'certificate',
      outcome: 'passed',
      text: `Certificate ${leaf.serial} is that of ${principalName(principal)}, ${by}.${renaming}${note}`,
    },
    ...(clientId === undefined ? {} : { clientId }),
  };
}
