import {
  clientIdOf,
  type DevicePrincipal,
  type Principal,
  parsePrincipal,
  principalName,
  type RefusalReason,
  type TraceStep,
} from '@sallyport/model';
import { readCertificate } from '@sallyport/trust';
import type { TransportFacts } from '../events/transport-facts.ts';
import type { Authenticator } from './authenticator.ts';
import type { CertificateTrust } from './certificate-standing.ts';
import { ChainMemory } from './chain-memory.ts';
import type { Find } from './known-principal.ts';
import { suspension } from './standing.ts';
import { printable, verifyCertificate } from './verify-certificate.ts';

/** What somebody shows who wants a certificate. Nothing in it has been checked. */
export interface EnrolmentEvidence {
  /** Organisation that the address names. */
  readonly organisation?: string;
  readonly code?: { readonly user: string; readonly code: string };
  /** Of a listener that asks for client certificates. */
  readonly transport?: TransportFacts;
}

/** A code on record. */
export interface KnownCode {
  readonly id: string;
  readonly organisation: string;
  readonly principal: string;
  readonly expiresAt: number;
  readonly usedAt?: number;
  readonly attempts: number;
}

/** A claim certificate on record. */
export interface KnownClaim {
  readonly id: string;
  readonly organisation: string;
  readonly type: string;
  readonly revokedAt?: number;
}

export type EnrolmentProof =
  | { readonly outcome: 'code'; readonly principal: Principal; readonly code: string; readonly step: TraceStep }
  | { readonly outcome: 'certificate'; readonly principal: Principal; readonly step: TraceStep }
  | { readonly outcome: 'claim'; readonly claim: KnownClaim; readonly step: TraceStep }
  | {
      readonly outcome: 'refused';
      readonly reason: RefusalReason;
      readonly step: TraceStep;
      readonly cure?: string;
      readonly principal?: string;
    };

export interface EnrolmentProofOptions {
  readonly findCode: (code: string) => Promise<KnownCode | undefined>;
  readonly countAttempt: (id: string) => Promise<void>;
  readonly findClaim: (name: {
    readonly issuerNameHash: string;
    readonly serial: string;
  }) => Promise<KnownClaim | undefined>;
  readonly findPrincipal: Find;
  /** Judges a client certificate as it does for MQTT. */
  readonly certificates: Authenticator;
  readonly trust: CertificateTrust;
  readonly now: () => number;
}

/** Shown so often without a certificate being issued, a code is worth nothing: it may have got into other hands. */
const ATTEMPTS_MAXIMUM = 10;

/**
 * Who may have a certificate: who shows a code that was made for the device, a certificate that proves it, or a claim. A code goes before
 * a certificate, because a device that was given one wants a new beginning.
 */
export function enrolmentProof(options: EnrolmentProofOptions) {
  const memory = new ChainMemory();

  return async (evidence: EnrolmentEvidence): Promise<EnrolmentProof> => {
    const { code, transport } = evidence;
    if (code !== undefined) return proveByCode(options, evidence, code);
    if (transport?.certificate === undefined) {
      return refused('missing_credential', 'Neither an enrolment code nor a client certificate was shown.', {
        cure: 'Send the name of the device and its enrolment code as user name and password, or the present certificate to the enrolment listener.',
      });
    }
    const claim = await claimOf(options, memory, transport);
    if (claim) return judgeClaim(claim, evidence);
    const verdict = await options.certificates.authenticate({ clientId: { kind: 'plain', text: '' }, transport });
    if (verdict.outcome === 'accepted') {
      const { principal } = verdict.grounds;
      if (!within(evidence, principal)) return otherOrganisation(evidence, principalName(principal));
      return { outcome: 'certificate', principal, step: verdict.step };
    }
    if (verdict.outcome === 'abstained') return refused('missing_credential', 'No client certificate was shown.');
    const { reason, step, cure } = verdict;
    return { outcome: 'refused', reason, step, ...(cure === undefined ? {} : { cure }) };
  };
}

async function proveByCode(
  { findCode, countAttempt, findPrincipal, now }: EnrolmentProofOptions,
  evidence: EnrolmentEvidence,
  { user, code }: NonNullable<EnrolmentEvidence['code']>,
): Promise<EnrolmentProof> {
  const known = await findCode(code);
  if (!known) return refused('enrolment_code_wrong', 'No such enrolment code is on record.');
  const { principal: name, usedAt, expiresAt } = known;
  if (usedAt !== undefined) {
    return refused('enrolment_code_used', `The enrolment code of ${name} was used at ${iso(usedAt)}.`);
  }
  if (expiresAt <= now()) {
    return refused('enrolment_code_expired', `The enrolment code of ${name} expired at ${iso(expiresAt)}.`);
  }
  if (known.attempts >= ATTEMPTS_MAXIMUM) {
    return refused(
      'enrolment_code_exhausted',
      `The enrolment code of ${name} was shown ${known.attempts} times in vain.`,
    );
  }
  const principal = deviceOf(name);
  if (!namesOf(principal).includes(user) || !within(evidence, principal)) {
    await countAttempt(known.id);
    return refused('enrolment_code_wrong', 'The enrolment code is that of another device.', {
      compared: { what: 'user name', found: printable(user), expected: namesOf(principal).join(' or ') },
    });
  }
  const registered = await findPrincipal(name);
  if (!registered) return refused('unknown_identity', `${name} was removed.`);
  const fallen = suspension(registered);
  if (fallen) return { ...refused(fallen.reason, fallen.text, fallen), principal: name };
  const text = `The enrolment code is that of ${name}.`;
  return { outcome: 'code', principal, code: known.id, step: { stage: 'authentication', outcome: 'passed', text } };
}

/** The claim of a certificate that this server issued and that is verified; undefined for any other certificate. */
async function claimOf(
  { trust, findClaim, now }: EnrolmentProofOptions,
  memory: ChainMemory,
  transport: TransportFacts,
): Promise<KnownClaim | undefined> {
  const leaf = transport.certificate && (await readCertificate(transport.certificate));
  if (!leaf?.ok) return undefined;
  const verification = await verifyCertificate({ trust, memory, now: now() }, transport, leaf.value, undefined);
  if (!verification.ok) return undefined;
  const own = verification.led.find(({ grounds }) => grounds.authority === 'builtin');
  return own && findClaim(own.grounds);
}

function judgeClaim(claim: KnownClaim, evidence: EnrolmentEvidence): EnrolmentProof {
  const { id, organisation, type, revokedAt } = claim;
  if (revokedAt !== undefined) {
    return refused('certificate_revoked', `The claim certificate ${id} was revoked at ${iso(revokedAt)}.`);
  }
  if (!within(evidence, { organisation })) return otherOrganisation(evidence, `claim ${id} of ${organisation}`);
  const text = `Claim certificate ${id} enrols new devices of type ${organisation}/${type}.`;
  return { outcome: 'claim', claim, step: { stage: 'certificate', outcome: 'passed', text } };
}

/** Every way in which people write the name of a device. */
function namesOf(principal: DevicePrincipal): string[] {
  const { organisation, type, id } = principal;
  return [`${type}/${id}`, clientIdOf(principal), `${organisation}/${type}/${id}`, principalName(principal)];
}

function deviceOf(written: string): DevicePrincipal {
  const principal = parsePrincipal(written);
  if (principal.ok && (principal.value.kind === 'device' || principal.value.kind === 'gateway')) return principal.value;
  throw new TypeError(`the registry has an enrolment code of "${written}"`);
}

function within({ organisation }: EnrolmentEvidence, of: Principal | { readonly organisation: string }): boolean {
  return organisation === undefined || ('organisation' in of && of.organisation === organisation);
}

function otherOrganisation({ organisation = '' }: EnrolmentEvidence, whose: string): EnrolmentProof {
  return refused('certificate_name_mismatch', 'The address names another organisation than the certificate.', {
    compared: { what: 'organisation', found: printable(organisation), expected: `that of ${whose}` },
    cure: 'Use the address of the own organisation, or the one without an organisation.',
  });
}

type Refused = Extract<EnrolmentProof, { outcome: 'refused' }>;

function refused(
  reason: RefusalReason,
  text: string,
  more: { readonly compared?: NonNullable<TraceStep['compared']>; readonly cure?: string | undefined } = {},
): Refused {
  const { compared, cure } = more;
  const step: TraceStep = { stage: 'authentication', outcome: 'failed', text, ...(compared ? { compared } : {}) };
  return { outcome: 'refused', reason, step, ...(cure === undefined ? {} : { cure }) };
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
