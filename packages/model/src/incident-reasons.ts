import type { ReasonRow } from './reason-row.ts';

/** Reasons that come of a suspicion. */
export const INCIDENT_REASONS = {
  principal_contained: {
    stage: 'authorization',
    connack3: 5,
    reasonCode: 0x87,
    httpStatus: 403,
    meaning: 'The principal is contained because of an incident, and may not do this until it is released.',
    cure: 'See `sallyport incident list`; if the suspicion is settled, `sallyport incident release ID`.',
  },
} as const satisfies Record<string, ReasonRow>;
