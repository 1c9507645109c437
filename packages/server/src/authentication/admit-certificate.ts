import type { RefusalReason } from '@sallyport/model';
import { readCertificate } from '@sallyport/trust';
import type { TransportFacts } from '../events/transport-facts.ts';
import { type CertificateTrust, certificateStanding } from './certificate-standing.ts';
import { ChainMemory } from './chain-memory.ts';
import { foreignStanding } from './foreign-revocation.ts';
import { verifyCertificate } from './verify-certificate.ts';

/** Why a handshake ends before the client has sent anything. */
export interface NotAdmitted {
  readonly reason: RefusalReason;
  readonly text: string;
  /** Replaces the general cure of the reason. */
  readonly cure?: string | undefined;
}

/**
 * For a listener that demands client certificates: whether a handshake showed one that some organisation would take. Whom it names is
 * asked later, when the client has said who it is.
 */
export function certificateAdmission({ trust, now }: { readonly trust: CertificateTrust; readonly now: () => number }) {
  const memory = new ChainMemory();
  return async (transport: TransportFacts): Promise<NotAdmitted | undefined> => {
    if (transport.certificate === undefined) {
      return { reason: 'certificate_required', text: 'The client showed no certificate.' };
    }
    const read = await readCertificate(transport.certificate);
    if (!read.ok) return { reason: 'certificate_invalid', text: `The client certificate: ${read.problem}.` };
    const leaf = read.value;
    const at = now();
    const pin = await trust.findPin(leaf.fingerprintSha256);
    if (pin?.principal !== undefined) {
      const grounds = { ...leaf, fingerprint: leaf.fingerprintSha256, authority: 'pinned', path: [leaf] };
      const { organisation, principal } = pin;
      const fallen = await certificateStanding(trust, grounds, { organisation, principal }, at);
      return fallen;
    }
    const verification = await verifyCertificate({ trust, memory, now: at }, transport, leaf, undefined);
    if (!verification.ok) return verification;
    let fallen: NotAdmitted | undefined;
    for (const { organisation, grounds, path } of verification.led) {
      const rows = grounds.authority === 'builtin' ? await trust.findBySerial(grounds) : [];
      const principal = rows.find(({ kind }) => kind === 'issued')?.principal ?? '';
      const standing = await certificateStanding(trust, grounds, { organisation: organisation ?? '', principal }, at);
      const { authority } = grounds;
      const foreign =
        !standing && trust.news && organisation !== undefined && authority !== 'builtin'
          ? (await foreignStanding(trust.news, { organisation, authority, path })).fallen
          : undefined;
      const problem = standing ?? foreign;
      if (!problem) return undefined;
      fallen = problem;
    }
    return fallen;
  };
}
