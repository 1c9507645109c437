import type { certificateAdmission } from '../authentication/admit-certificate.ts';
import type { HandshakeProblem } from '../listeners/handshake-problem.ts';
import type { TlsDoorOptions } from '../listeners/listener-options.ts';

/** Lets a certificate be judged at the end of the handshake, in the words of listeners. */
export function handshakeAdmission(
  admission: ReturnType<typeof certificateAdmission>,
): NonNullable<TlsDoorOptions['admitCertificate']> {
  return async (facts) => {
    const refused = await admission(facts);
    return refused && { problem: refused.reason as HandshakeProblem, detail: refused.text, cure: refused.cure };
  };
}
