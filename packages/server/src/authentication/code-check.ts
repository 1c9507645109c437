import { stepOfCode } from './authenticator-app.ts';
import type { UnlockDemand } from './known-principal.ts';
import type { Challenge, OneTimeCodes } from './one-time-code.ts';
import type { UnlockSession } from './unlock-session.ts';

export interface CodeCheckOptions {
  readonly codes: OneTimeCodes;
  readonly authenticators: {
    find(principal: string): Promise<{ readonly secret: Uint8Array; readonly lastStep: number } | undefined>;
    /** False if the step was used already. */
    use(principal: string, step: number): Promise<boolean>;
  };
  readonly demandOf: (session: UnlockSession) => Promise<UnlockDemand | undefined>;
  readonly now: () => number;
}

/** By which of two means a code was right, or why it was not. */
export type CodeOutcome = 'code' | 'authenticator' | 'wrong' | 'expired' | 'no-code';

/** Judges a code that was entered: by the one that was sent, then by the owner's authenticator where the demand names that channel. */
export function codeCheck({ codes, authenticators, demandOf, now }: CodeCheckOptions) {
  return async (session: UnlockSession, challenge: Challenge | undefined, given: string): Promise<CodeOutcome> => {
    const code = given.replace(/[ -]/g, '');
    const outcome = challenge === undefined ? 'no-code' : codes.check(challenge, code, session);
    if (outcome === 'right') return 'code';
    const demand = await demandOf(session);
    if (!demand?.channels.includes('authenticator')) return outcome;
    const known = await authenticators.find(session.principal);
    if (known === undefined) return outcome;
    const step = stepOfCode(known.secret, code, now(), known.lastStep);
    // Asked of the store at the end: of two sessions with the same code one is too late.
    return step !== undefined && (await authenticators.use(session.principal, step)) ? 'authenticator' : 'wrong';
  };
}
