import type { ReasonRow } from './reason-row.ts';

const FORM = { stage: 'protocol', connack3: 5, reasonCode: 0x99, httpStatus: 400 } as const;

/** Reasons for which a message is refused by the form of its payload, which the server never opens. */
export const PROTECTION_REASONS = {
  payload_not_sealed: {
    ...FORM,
    meaning: 'The device type demands payloads that are sealed end to end, and this one is not.',
    cure: 'Send it sealed (docs/guide/payload-encryption.md): give the sender an identity, and the SDK option that seals. If the type is not to demand it, `sallyport type set TYPE --encryption optional`.',
  },
  payload_sealed: {
    ...FORM,
    meaning: 'The device type takes no sealed payloads, and this one is sealed.',
    cure: 'Send it in clear, or allow it with `sallyport type set TYPE --encryption optional`.',
  },
  command_not_signed: {
    ...FORM,
    meaning: 'The device type demands commands that are signed by their application, and this one is not.',
    cure: 'Give the application an identity with `sallyport application identity create` and pass it to the SDK (docs/guide/signed-commands.md). If the type is not to demand it, `sallyport type set TYPE --commands any`.',
  },
  command_without_uid: {
    ...FORM,
    meaning:
      'The device type demands the published JSON commands with the id of the application in "uid", and this one has none.',
    cure: 'Send {"cmd":"command",…,"uid":…} on fmt/json (docs/guide/signed-commands.md, "Devices in the field"), or choose another form with `sallyport type set TYPE --commands any`.',
  },
} as const satisfies Record<string, ReasonRow>;
