import type { ReasonRow } from './reason-row.ts';

/** Reasons for which firmware is not handed out. */
export const FIRMWARE_REASONS = {
  firmware_not_for_type: {
    stage: 'authorization',
    connack3: 5,
    reasonCode: 0x87,
    httpStatus: 403,
    meaning: 'A device asked for firmware of another device type or organisation.',
    cure: 'Let the device ask for firmware of its own type; a device that asks for that of others may be in the wrong hands: look at what else it did with `sallyport audit`.',
  },
  firmware_window_exceeded: {
    stage: 'limits',
    connack3: 3,
    reasonCode: 0x97,
    httpStatus: 429,
    meaning: 'A device asked for more pieces of firmware at once than it may.',
    cure: 'Let the device wait for the pieces that it has asked for before it asks for more (docs/guide/firmware.md), or let it download over HTTPS.',
  },
} as const satisfies Record<string, ReasonRow>;
