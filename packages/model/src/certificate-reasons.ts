import type { ReasonRow } from './reason-row.ts';

/** Reasons that have to do with names in certificates, and with what others say of them. */
export const CERTIFICATE_REASONS = {
  certificate_revocation_unknown: {
    stage: 'certificate',
    connack3: 5,
    reasonCode: 0x87,
    httpStatus: 403,
    meaning: 'The authority of the client certificate demands to know whether it is revoked, and no source could tell.',
    cure: 'The trace names the list or responder and what is wrong with it; `sallyport ca show ID` tells how they stand. Mend it, or let the organisation take certificates meanwhile: `sallyport ca set ID --on-unknown soft`.',
  },
  server_name_unknown: {
    stage: 'transport',
    connack3: 5,
    reasonCode: 0x87,
    httpStatus: 400,
    meaning: 'The client asked for a server name that the server certificate does not list, and did not go on.',
    cure: 'Connect to a name that the certificate lists, or add the name to serverNames in the configuration and start the server again.',
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
