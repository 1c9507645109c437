import { Failure } from '@sallyport/model';
import {
  authorityProblem,
  type CertificateFacts,
  canonicalSerial,
  readCertificate,
  readCertificateRequest,
  type VerificationProblem,
} from '@sallyport/trust';
import type { Authority } from '../authority/authority.ts';
import type { Registry } from '../registry/registry.ts';
import type { CertificateDesk } from './api-options.ts';
import { AttemptBound } from './attempt-bound.ts';
import { commonNameOf, ownerOf, recorded, signCertificate } from './issue-certificate.ts';

export interface CertificateDeskOptions {
  readonly authority: Pick<Authority, 'root' | 'issuers' | 'issueClient'>;
  readonly registry: Pick<Registry, 'authorities' | 'certificates' | 'enrolment'>;
  /** Certificates that one operator may have issued per second; ten times as many at once. */
  readonly issueRate: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

const OPERATORS_REMEMBERED = 10_000;

/** Reads what operators send, judges it, and puts it on record: nothing that was not read reaches the registry. */
export function certificateDesk({ authority, registry, issueRate, now }: CertificateDeskOptions): CertificateDesk {
  const { authorities, certificates, enrolment } = registry;
  const issuing = new AttemptBound({
    burst: 10 * issueRate,
    refill: 1000 / issueRate,
    addresses: OPERATORS_REMEMBERED,
    now,
  });
  return {
    // A colon would make an address of the operator's name.
    waitToIssue: (by) => issuing.take(by.replaceAll(':', ' ')),

    builtIn: (organisation) =>
      authority
        .issuers()
        .filter((issuer) => issuer.organisation === organisation || issuer.organisation === undefined)
        .sort((a, b) => Number(a.organisation === undefined) - Number(b.organisation === undefined)),

    async addAuthority({ organisation, certificate, revocation, by }) {
      const facts = await certificateIn(certificate);
      const { fingerprintSha256: fingerprint, subject, subjectNameHash, notBefore, notAfter, der } = facts;
      const own = [authority.root, ...authority.issuers().map((issuer) => issuer.certificate)];
      if (own.some(({ fingerprintSha256 }) => fingerprintSha256 === fingerprint)) {
        throw new Failure('already_exists', 'This is an authority of this server, which needs no adding.');
      }
      const problem = await authorityProblem(der, now());
      if (problem) throw unfit(subject, problem);
      return authorities.add({
        ...{ organisation, der, fingerprint, subject, subjectNameHash, notBefore, notAfter, by },
        ...(revocation === undefined ? {} : { revocation }),
      });
    },

    async issue({ principal, csr, validity, by }) {
      const request = await readCertificateRequest(csr);
      if (!request.ok) throw new Failure('invalid_request', `csr: ${request.problem}.`);
      const owner = ownerOf(principal);
      const { facts, pem, chainPem } = await signCertificate(authority, {
        organisation: owner.organisation,
        publicKey: request.value.publicKey,
        commonName: commonNameOf(owner),
        validity,
      });
      const record = await certificates.recordIssued({ ...facts, principal, by });
      return { record, pem, chainPem };
    },

    async issueClaim({ organisation, type, maximum, csr, validity, by }) {
      const request = await readCertificateRequest(csr);
      if (!request.ok) throw new Failure('invalid_request', `csr: ${request.problem}.`);
      const { facts, pem, chainPem } = await signCertificate(authority, {
        organisation,
        publicKey: request.value.publicKey,
        // Of no form that names a client, so that it could prove nobody even if nothing else stopped it.
        commonName: `claim:${type}`,
        validity,
      });
      return { claim: await enrolment.createClaim({ ...facts, organisation, type, maximum, by }), pem, chainPem };
    },

    async pin({ principal, certificate, by }) {
      const facts = await certificateIn(certificate);
      if (facts.notAfter <= now()) {
        throw new Failure('invalid_request', `certificate: it expired at ${new Date(facts.notAfter).toISOString()}.`);
      }
      return certificates.pin({ ...recorded(facts), principal, by });
    },

    async revokeForeign({ organisation, by, ...named }) {
      if ('certificate' in named) {
        const { issuerNameHash, issuer, serial } = await certificateIn(named.certificate);
        return certificates.revokeForeign({ organisation, issuerNameHash, issuer, serial, by });
      }
      const { subject, subjectNameHash } = await authorities.get({ organisation, fingerprint: named.authority });
      const serial = canonicalSerial(named.serial);
      return certificates.revokeForeign({
        organisation,
        issuerNameHash: subjectNameHash,
        issuer: subject,
        serial,
        by,
      });
    },
  };
}

async function certificateIn(pem: string): Promise<CertificateFacts> {
  const read = await readCertificate(pem);
  if (!read.ok) throw new Failure('invalid_request', `certificate: ${read.problem}.`);
  return read.value;
}

const UNFIT: Readonly<Record<VerificationProblem, string>> = {
  malformed: 'it cannot be read',
  unknown_authority: 'it leads to no authority',
  bad_signature: 'its signature is wrong',
  expired: 'it has expired',
  not_yet_valid: 'it is not valid yet',
  authority_expired: 'it has expired',
  authority_not_yet_valid: 'it is not valid yet',
  not_an_authority: 'it is no authority (basicConstraints without CA:TRUE)',
  path_too_long: 'it allows no certificates below it',
  wrong_usage: 'it may not sign certificates (keyUsage without keyCertSign, or extendedKeyUsage)',
  name_not_permitted: 'its names are not permitted by the authority above it',
  unknown_critical_extension: 'it has a critical extension that is not understood here',
  weak_algorithm: 'it is signed with a broken hash, or its key is too short (RSA needs 2048 bits)',
};

function unfit(subject: string, problem: VerificationProblem): Failure {
  return new Failure('invalid_request', `certificate: "${subject}" cannot be trusted: ${UNFIT[problem]}.`, {
    cure: 'Add the certificate of the authority itself, not one that it issued; `openssl x509 -noout -text -in FILE` shows what it says.',
  });
}
