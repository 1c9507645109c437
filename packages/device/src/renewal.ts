import type { Failure } from '@sallyport/model';
import { pause } from './abort.ts';
import { jitteredBackoff } from './backoff.ts';
import type { ChangingCertificate } from './certificate-files.ts';
import type { ClientCertificate } from './link-options.ts';
import type { LinkProof } from './link-proof.ts';
import { isChanging } from './link-settings.ts';
import type { ProofExchange } from './proof-exchange.ts';

/** The longest time that a timer can wait, in milliseconds. */
const LONGEST_TIMER = 2_147_483_647;

export interface RenewalParts {
  readonly proof: LinkProof;
  readonly exchange: ProofExchange;
  /** Connects again with the proof that is in hand. */
  readonly move: () => Promise<void>;
  readonly report: (failure: Failure) => void;
  readonly renewed: () => void;
}

/** Renews the proof of a session ahead of its end, for as long as the connection holds. */
export async function keepProven(parts: RenewalParts, connection: AbortSignal): Promise<void> {
  const { proof, exchange, move, report, renewed } = parts;
  const backoff = jitteredBackoff();
  try {
    for (;;) {
      const due = proof.dueIn?.();
      if (due === undefined || proof.renew === undefined) return;
      await pause(connection, Math.min(due, LONGEST_TIMER));
      if (due > LONGEST_TIMER) continue;
      try {
        const next = await proof.renew(connection);
        if (!exchange.renewable) return await move();
        await exchange.renew(next);
        backoff.reset();
        renewed();
      } catch (failure) {
        connection.throwIfAborted();
        // The present proof still serves: whether it ends before another is there, the server says.
        report(failure as Failure);
        await pause(connection, backoff.next());
      }
    }
  } catch {
    // The connection broke; the next one begins anew.
  }
}

export interface CertificateParts {
  /** Connects again with the certificate that is in hand. */
  readonly move: () => Promise<void>;
  readonly report: (problem: Failure) => void;
  /** Resolves when the connection has ended for good. */
  readonly closed: Promise<unknown>;
}

/** Shows a renewed certificate at once: the old one may end before the connection does. Nothing to do for one that stays. */
export function followCertificate(
  certificate: ClientCertificate | ChangingCertificate | undefined,
  { move, report, closed }: CertificateParts,
): void {
  if (certificate === undefined || !isChanging(certificate)) return;
  const ends = [certificate.onRenewed(() => void move()), certificate.onProblem(report)];
  void closed.then(() => {
    for (const end of ends) end();
  });
}
