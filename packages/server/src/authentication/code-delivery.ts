import type { UnlockChannel } from '@sallyport/model';
import type { ServerEvent } from '../events/events.ts';
import type { UnlockDemand } from './known-principal.ts';
import type { OneTimeCodes } from './one-time-code.ts';
import { factsOf, type UnlockSession } from './unlock-session.ts';
import type { Waiting } from './waiting-sessions.ts';

/** A code on its way to an owner. */
export interface CodeLetter extends UnlockSession {
  readonly code: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  /** Mail address. */
  readonly owner?: string;
}

/** Takes a code to an owner; rejects if it could not. */
export type DeliverCode = (letter: CodeLetter) => Promise<void>;

export interface CodeDeliveryOptions {
  readonly codes: OneTimeCodes;
  readonly deliver: Readonly<Record<'mail' | 'web-hook' | 'application', DeliverCode>>;
  readonly authenticators: { find(principal: string): Promise<object | undefined> };
  readonly emit: (event: ServerEvent) => void;
}

/**
 * Makes a code for a session that waits and takes it to the owner by every channel of the demand at once. `inReply` gets it too where the
 * device type allows that. Resolves to the channels by which a person can now come to a code; with none the code that was made is void.
 */
export type SendCode = (
  entry: Waiting,
  demand: UnlockDemand,
  inReply?: (code: string) => void,
) => Promise<UnlockChannel[]>;

/** The channels of one-time codes: some carry a code, at the console and in an authenticator there is one without being sent. */
export function codeDelivery({ codes, deliver, authenticators, emit }: CodeDeliveryOptions): SendCode {
  return async (entry, demand, inReply) => {
    const { session } = entry;
    const carried = demand.channels.filter((channel) => channel !== 'console' && channel !== 'authenticator');
    const taken: UnlockChannel[] = demand.channels.includes('console') ? ['console'] : [];
    if (demand.channels.includes('authenticator') && (await authenticators.find(session.principal)) !== undefined) {
      taken.push('authenticator');
    }
    const replied = demand.allowCodeInReply ? inReply : undefined;
    if (carried.length === 0 && replied === undefined) return taken;
    const { code, challenge } = codes.issue(session);
    entry.challenge = challenge;
    const owner = demand.owner === undefined ? {} : { owner: demand.owner };
    const letter: CodeLetter = { ...session, code, expiresAt: challenge.expiresAt, ...owner };
    const sent = await Promise.all(
      carried.map(async (channel) => {
        try {
          await deliver[channel](letter);
          emit({ type: 'unlock.delivered', channel, ...factsOf(session) });
          return channel;
        } catch (error) {
          const problem = error instanceof Error ? error.message : String(error);
          emit({ type: 'unlock.undelivered', channel, problem, ...factsOf(session) });
          return undefined;
        }
      }),
    );
    const arrived = sent.filter((channel) => channel !== undefined);
    if (replied !== undefined) {
      emit({ type: 'unlock.code-in-reply', ...factsOf(session) });
      replied(code);
    } else if (arrived.length === 0 && entry.challenge === challenge) entry.challenge = undefined;
    return [...arrived, ...taken];
  };
}
