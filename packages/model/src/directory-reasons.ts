import type { ReasonRow } from './reason-row.ts';

/** Reasons of directories, databases and web hooks. */
export const DIRECTORY_REASONS = {
  directory_unavailable: {
    stage: 'authentication',
    connack3: 3,
    reasonCode: 0x88,
    httpStatus: 503,
    meaning: 'The directory, database or web hook that had to be asked did not answer; nobody is let in on a guess.',
    cure: 'Look at the server that the trace names and at the way to it; clients come back by themselves.',
  },
  credential_kind_not_accepted: {
    stage: 'authentication',
    connack3: 5,
    reasonCode: 0x87,
    httpStatus: 401,
    meaning: 'The proof is right, and of a kind that the organisation does not take.',
    cure: 'Use one of the kinds that the configuration names under authenticators of the organisation, or add this one there.',
  },
  hook_denied: {
    stage: 'authentication',
    connack3: 5,
    reasonCode: 0x87,
    httpStatus: 401,
    meaning: 'The web hook of the organisation does not let this client in.',
    cure: 'Look at the log of the web hook; the trace has the reason that it gave.',
  },
} as const satisfies Record<string, ReasonRow>;
