import type { ReasonRow } from './reason-row.ts';

/** Reasons that have to do with what others say of a certificate. */
export const CERTIFICATE_REASONS = {
  certificate_revocation_unknown: {
    stage: 'certificate',
    connack3: 5,
    reasonCode: 0x87,
    httpStatus: 403,
    meaning: 'The authority of the client certificate demands to know whether it is revoked, and no source could tell.',
    cure: 'The trace names the list or responder and what is wrong with it; `sallyport ca show ID` tells how they stand. Mend it, or let the organisation take certificates meanwhile: `sallyport ca set ID --on-unknown soft`.',
  },
  certificate_name_not_permitted: {
    stage: 'certificate',
    connack3: 5,
    reasonCode: 0x87,
    httpStatus: 403,
    meaning: 'An authority above the client certificate may not certify the names in it (name constraints).',
    cure: 'Have the certificate issued by an authority that may certify these names, or the authority certified anew with constraints that permit them.',
  },
} as const satisfies Record<string, ReasonRow>;
