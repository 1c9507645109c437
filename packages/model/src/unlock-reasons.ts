import type { ReasonRow } from './reason-row.ts';

/** Reasons that have to do with one-time codes. */
export const UNLOCK_REASONS = {
  unlock_required: {
    stage: 'authorization',
    connack3: 5,
    reasonCode: 0x87,
    httpStatus: 403,
    meaning: 'The session waits for its one-time code and may use nothing but its unlock topics until then.',
    cure: 'Let the device subscribe to iot-2/cmd/unlock/fmt/json, ask with iot-2/evt/unlock-request/fmt/json, and give the code that its owner got; `sallyport unlock list` shows who waits.',
  },
  unlock_failed: {
    stage: 'authentication',
    connack3: 5,
    reasonCode: 0x87,
    httpStatus: 403,
    meaning: 'Every try to give the one-time code was used up, so the session was ended.',
    cure: 'Connect again, ask for a new code and enter it as it was received; if nobody stood at the device, suspend it.',
  },
} as const satisfies Record<string, ReasonRow>;
