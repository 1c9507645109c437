import {
  Failure,
  parseDeviceId,
  principalName,
  REASONS,
  type Refusal,
  type RefusalReason,
  type TraceStep,
} from '@sallyport/model';
import { type CertificateRequest, readCertificateRequest } from '@sallyport/trust';
import type { Refusals } from '../audit/refusals.ts';
import type { EnrolmentEvidence, EnrolmentProof } from '../authentication/enrolment-proof.ts';
import type { Authority } from '../authority/authority.ts';
import type { ServerEvent } from '../events/events.ts';
import type { Registry } from '../registry/registry.ts';
import { commonNameOf, type Owner, signCertificate } from './issue-certificate.ts';

/** A request for a certificate, as it came. */
export interface EnrolmentRequest extends EnrolmentEvidence {
  readonly address: string;
  readonly listener: string;
  /** Method and path, for the record. */
  readonly resource: string;
  /** DER of a PKCS#10 request; undefined if what came was no Base64. */
  readonly request: Uint8Array | undefined;
}

export type Enrolled =
  | { readonly outcome: 'issued'; readonly certificate: Uint8Array }
  | {
      readonly outcome: 'refused';
      readonly reason: RefusalReason;
      readonly ticket: string;
      /** True if who asked has proven who it is: what is wrong with its request may be said to it, and it is no guess. */
      readonly proven: boolean;
      readonly text: string;
    };

/** Enrolment (RFC 7030) without its wire: who may, for what name, and what is issued. */
export interface EnrolmentDesk {
  /** DER of the root, and of the authority that issues for the organisation; undefined if there is no such organisation. */
  authorities(organisation?: string): Promise<readonly Uint8Array[] | undefined>;
  enrol(request: EnrolmentRequest): Promise<Enrolled>;
  /** Records that an address has to wait. */
  tooFast(request: Omit<EnrolmentRequest, 'request'>, wait: number): Refusal;
}

export interface EnrolmentDeskOptions {
  readonly authority: Pick<Authority, 'root' | 'issuers' | 'issuerOf' | 'issueClient'>;
  readonly registry: Pick<Registry, 'enrolment' | 'certificates' | 'organisations'>;
  readonly prove: (evidence: EnrolmentEvidence) => Promise<EnrolmentProof>;
  readonly refusals: Pick<Refusals, 'refuse'>;
  readonly emit: (event: ServerEvent) => void;
}

type Proven = Exclude<EnrolmentProof, { outcome: 'refused' }>;
interface Wanted {
  readonly owner: Owner;
  readonly publicKey: CertificateRequest['publicKey'];
}

export function enrolmentDesk({ authority, registry, prove, refusals, emit }: EnrolmentDeskOptions): EnrolmentDesk {
  const { enrolment, certificates } = registry;

  function refuse(
    { address, listener, resource, organisation, code }: Omit<EnrolmentRequest, 'request'>,
    { reason, steps, cure, principal }: Refused,
  ): Refusal {
    const row = REASONS[reason];
    const refusal = refusals.refuse({
      action: 'manage',
      reason,
      reasonCode: row.reasonCode,
      address,
      listener,
      resource,
      steps,
      cure: cure ?? row.cure,
      ...(organisation === undefined ? {} : { organisation }),
      // Who swaps user name and code must not have the code written down.
      ...(code && /[/:]/.test(code.user) ? { clientId: printable(code.user) } : {}),
      ...(principal === undefined ? {} : { principal }),
    });
    emit({ type: 'request.refused', refusal });
    return refusal;
  }

  async function issue(proof: Proven, { owner, publicKey }: Wanted): Promise<Uint8Array> {
    const { organisation } = owner;
    const fresh = await signCertificate(authority, { organisation, publicKey, commonName: commonNameOf(owner) });
    const principal = principalName(owner);
    const certificate = { ...fresh.facts, principal, by: principal };
    if (proof.outcome === 'code') await enrolment.redeemCode(proof.code, certificate);
    else if (proof.outcome === 'certificate') await certificates.recordIssued(certificate);
    else {
      const claim = await certificates.get({ organisation, id: proof.claim.id });
      await enrolment.redeemClaim(claim, { id: owner.id }, certificate);
    }
    return fresh.der;
  }

  return {
    async authorities(organisation) {
      if (organisation === undefined) return [authority.root.der, ...authority.issuers().slice(0, 1).map(derOf)];
      const known = await registry.organisations.get(organisation).catch(undefinedIfAbsent);
      if (!known) return undefined;
      const issuer = await authority.issuerOf(organisation).catch(undefinedWithoutRootKey);
      return [authority.root.der, ...(issuer ? [derOf(issuer)] : [])];
    },

    tooFast: (request, wait) =>
      refuse(request, {
        reason: 'too_many_attempts',
        steps: [failed('limits', `Too many attempts from ${request.address}; the next is heard in ${wait} ms.`)],
      }),

    async enrol(request) {
      const proof = await prove(request);
      if (proof.outcome === 'refused') {
        const { step, ...rest } = proof;
        const { reason, ticket } = refuse(request, { ...rest, steps: [step] });
        return { outcome: 'refused', reason, ticket, proven: false, text: step.text };
      }
      const named = proof.outcome === 'claim' ? {} : { principal: principalName(proof.principal) };
      const turnDown = async (reason: RefusalReason, step: TraceStep, cure?: string): Promise<Enrolled> => {
        if (proof.outcome === 'code') await enrolment.countAttempt(proof.code);
        // Requests that are wrong in different ways must not share a ticket, and tickets are told apart by their cures.
        const told = cure ?? `${step.text} ${REASONS[reason].cure}`;
        const { ticket } = refuse(request, { reason, steps: [proof.step, step], cure: told, ...named });
        return { outcome: 'refused', reason, ticket, proven: true, text: step.text };
      };
      const read = request.request ? await readCertificateRequest(request.request) : undefined;
      if (!read?.ok) {
        const problem = read ? read.problem : 'the body is not Base64';
        return turnDown('enrolment_request_invalid', failed('certificate', `The certificate request: ${problem}.`));
      }
      const wanted = wantedBy(proof, read.value.commonName);
      if (!('owner' in wanted)) return turnDown('enrolment_name_mismatch', wanted.step);
      try {
        const certificate = await issue(proof, { ...wanted, publicKey: read.value.publicKey });
        return { outcome: 'issued', certificate };
      } catch (error) {
        if (!(error instanceof Failure) || (error.code !== 'in_use' && error.code !== 'already_exists')) throw error;
        return turnDown(
          TAKEN[proof.outcome],
          failed('limits', error.message),
          proof.outcome === 'certificate' ? error.cure : undefined,
        );
      }
    },
  };
}

/** What it means that the registry turned an enrolment down, by what it was proven with. */
const TAKEN = { code: 'enrolment_code_used', certificate: 'quota_exceeded', claim: 'claim_not_good' } as const;

interface Refused {
  readonly reason: RefusalReason;
  readonly steps: readonly TraceStep[];
  readonly cure?: string;
  readonly principal?: string;
}

/** A claim lets the request say which new device it is for; any other proof has said it already, and the request may only agree. */
function wantedBy(
  proof: Proven,
  commonName: string | undefined,
): { readonly owner: Owner } | { readonly step: TraceStep } {
  if (proof.outcome === 'claim') {
    const { organisation, type } = proof.claim;
    const parts = (commonName ?? '').split(':');
    const id = parts.at(-1) ?? '';
    const owner: Owner = { kind: 'device', organisation, type, id };
    const forms = [id, `d:${type}:${id}`, `d:${organisation}:${type}:${id}`];
    if (parseDeviceId(id).ok && forms.includes(commonName ?? '')) return { owner };
    return { step: mismatch(commonName, `d:${type}:ID or the id of a new device`) };
  }
  const { principal } = proof;
  if (principal.kind === 'operator') throw new TypeError('an operator has no certificate');
  const clientId =
    principal.kind === 'application'
      ? `a:${principal.organisation}:${principal.id}`
      : `${principal.kind === 'device' ? 'd' : 'g'}:${principal.organisation}:${principal.type}:${principal.id}`;
  const forms = [undefined, principal.id, commonNameOf(principal), clientId];
  return forms.includes(commonName) ? { owner: principal } : { step: mismatch(commonName, commonNameOf(principal)) };
}

function mismatch(found: string | undefined, expected: string): TraceStep {
  return {
    ...failed('certificate', 'The certificate request asks for another name.'),
    compared: { what: 'common name', found: printable(found ?? 'none'), expected },
  };
}

function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 120);
}

function failed(stage: TraceStep['stage'], text: string): TraceStep {
  return { stage, outcome: 'failed', text };
}

function derOf({ certificate }: { readonly certificate: { readonly der: Uint8Array } }): Uint8Array {
  return certificate.der;
}

function undefinedWithoutRootKey(error: unknown): undefined {
  if (error instanceof Failure && error.code === 'root_key_absent') return undefined;
  throw error;
}

function undefinedIfAbsent(error: unknown): undefined {
  if (error instanceof Failure && error.code === 'not_found') return undefined;
  throw error;
}
