import type { ReasonRow } from './reason-row.ts';

const PROOF = { stage: 'authentication', connack3: 5, reasonCode: 0x87, httpStatus: 401 } as const;
const REQUEST = { stage: 'certificate', connack3: 5, reasonCode: 0x87, httpStatus: 400 } as const;

/** Reasons for which an enrolment (EST) or a registration by certificate is refused. */
export const ENROLMENT_REASONS = {
  enrolment_code_wrong: {
    ...PROOF,
    meaning: 'The enrolment code is none that is on record, or is that of another device.',
    cure: 'Compare the code with what was shown; make a new one with `sallyport device enrolment-code TYPE/ID`.',
  },
  enrolment_code_used: {
    ...PROOF,
    meaning: 'The enrolment code was right and has been used.',
    cure: 'If the device lost what it was given, make a new code. If the device did not use it, somebody else did: revoke the certificate that was issued then.',
  },
  enrolment_code_expired: {
    ...PROOF,
    meaning: 'The enrolment code was right and has expired.',
    cure: 'Make a new one with `sallyport device enrolment-code TYPE/ID`, with a longer --expires-in if the device needs it.',
  },
  enrolment_code_exhausted: {
    ...PROOF,
    meaning: 'The enrolment code was right and was shown too often without a certificate being issued for it.',
    cure: 'Read the refusals before this one, mend what they name, and make a new code.',
  },
  enrolment_request_invalid: {
    ...REQUEST,
    meaning: 'The certificate request is damaged, wrongly signed, or has a key that is too weak or of another kind.',
    cure: 'Send a PKCS#10 request in Base64 (DER, without PEM lines) with an RSA key of 2048 bits or more, or an elliptic one on P-256, P-384 or P-521.',
  },
  enrolment_name_mismatch: {
    ...REQUEST,
    meaning: 'The certificate request asks for the name of somebody else.',
    cure: 'Leave the common name out, or write d:TYPE:ID (g:TYPE:ID for a gateway) or the id of the device that enrols.',
  },
  claim_only: {
    stage: 'certificate',
    connack3: 5,
    reasonCode: 0x87,
    httpStatus: 403,
    meaning: 'The client certificate is a claim, which may do nothing but enrol.',
    cure: 'Let the device enrol first (EST, simpleenroll) and connect with the certificate that it is given.',
  },
  claim_not_good: {
    stage: 'certificate',
    connack3: 5,
    reasonCode: 0x87,
    httpStatus: 403,
    meaning:
      'The claim certificate does not enrol this device: it is used up, for another type, or the device is known.',
    cure: 'Make a new claim with `sallyport certificate issue --claim TYPE`; a device that is registered already enrols by a code of its own.',
  },
  registration_pending: {
    stage: 'authentication',
    connack3: 5,
    reasonCode: 0x87,
    httpStatus: 403,
    meaning: 'The device is unknown, its certificate is of a trusted authority, and an operator has to approve it.',
    cure: 'Look at `sallyport device pending list`, and approve or reject it.',
  },
  registration_limit: {
    stage: 'limits',
    connack3: 3,
    reasonCode: 0x97,
    httpStatus: 429,
    meaning: 'More unknown devices came with certificates than may be registered or wait for approval.',
    cure: 'Look at `sallyport device pending list` and the audit trail: if the devices are yours, raise the bounds of the section enrolment; if not, the key of the authority may have leaked.',
  },
} as const satisfies Record<string, ReasonRow>;
