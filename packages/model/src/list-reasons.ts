import type { ReasonRow } from './reason-row.ts';

/** Reasons of the step before both doors: who may knock at all. */
export const LIST_REASONS = {
  address_on_black_list: {
    stage: 'lists',
    connack3: 5,
    reasonCode: 0x8a,
    httpStatus: 403,
    meaning: 'The address of the client, or its country, is on a black list that is on.',
    cure: 'If the client is wanted, remove the entry that the trace names: `sallyport list remove`.',
  },
  address_not_on_white_list: {
    stage: 'lists',
    connack3: 5,
    reasonCode: 0x8a,
    httpStatus: 403,
    meaning: 'A white list is on, and neither the address of the client nor its country is on it.',
    cure: 'If the client is wanted, add its address: `sallyport list add white ADDRESS`.',
  },
  country_unknown: {
    stage: 'lists',
    connack3: 5,
    reasonCode: 0x8a,
    httpStatus: 403,
    meaning: 'A list that is on names countries, and no country is known for the address of the client.',
    cure: 'Add the address itself to the list, or let unknown countries pass: `sallyport list use black --unknown-country allow`.',
  },
  proxy_header_missing: {
    stage: 'transport',
    connack3: 5,
    reasonCode: 0x87,
    httpStatus: 400,
    meaning: 'A named proxy connected without a PROXY protocol header, or with one that is not correct.',
    cure: 'Switch PROXY protocol version 1 or 2 on in the proxy, or take its address out of proxyAddresses of the listener.',
  },
  proxy_header_refused: {
    stage: 'transport',
    connack3: 5,
    reasonCode: 0x87,
    httpStatus: 400,
    meaning: 'A PROXY protocol header came from an address that is not a named proxy.',
    cure: 'If the address is a proxy of yours, add it to proxyAddresses of the listener; else somebody tries to hide where it comes from.',
  },
} as const satisfies Record<string, ReasonRow>;
