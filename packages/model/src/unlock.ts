import type { Principal } from './principal.ts';

/** Whether a session has to give a one-time code before it may do anything: the proof that a person stands at the device. */
export const UNLOCK_MODES = ['off', 'one-time-code'] as const;
export type UnlockMode = (typeof UNLOCK_MODES)[number];

/** The ways by which a code gets to the owner of a device, and never to the device itself. */
export const UNLOCK_CHANNELS = ['mail', 'web-hook', 'console', 'application', 'authenticator'] as const;
export type UnlockChannel = (typeof UNLOCK_CHANNELS)[number];

/** What a device type demands. A device may have a mode of its own. */
export interface UnlockSettings {
  readonly mode: UnlockMode;
  /** All that are named are used; `console` alone if left out. */
  readonly channels?: readonly UnlockChannel[];
  /** Devices may also speak the published JSON flow, on the event `eid` and the command `cid`. */
  readonly publishedFlow?: boolean;
  /** Unsafe: the published flow answers with the code itself, so that it proves no presence. */
  readonly allowCodeInReply?: boolean;
}

/** Event by which a device asks for a code: `iot-2/evt/unlock-request/fmt/json`. */
export const UNLOCK_REQUEST = 'unlock-request';
/** Event by which a device gives the code that a person has entered: `{"code":"123456"}`. */
export const UNLOCK_RESPONSE = 'unlock-response';
/** Command that tells a device how it stands: an {@link UnlockStatus}. */
export const UNLOCK_COMMAND = 'unlock';

/** Whether this is one of the topics by which a device or gateway asks for its code, gives it, and hears how it stands. */
export function isUnlockTopic(principal: Principal, topic: string): boolean {
  if (principal.kind !== 'device' && principal.kind !== 'gateway') return false;
  const own = `iot-2/type/${principal.type}/id/${principal.id}`;
  return [`evt/${UNLOCK_REQUEST}`, `evt/${UNLOCK_RESPONSE}`, `cmd/${UNLOCK_COMMAND}`, 'evt/eid', 'cmd/cid'].some(
    (rest) => topic === `${own}/${rest}/fmt/json`,
  );
}

/** What the server tells a device about its one-time code. Times are in seconds. */
export interface UnlockStatus {
  readonly status: /** A code is on its way to the owner, or the authenticator app of the owner is asked for. */
    | 'sent'
    /** No channel took the code: ask again later. */
    | 'undelivered'
    | 'wrong'
    | 'expired'
    /** A code was given and none was asked for. */
    | 'no-code'
    /** Too many requests or wrong codes: nothing is looked at for `retryAfter` seconds. */
    | 'wait'
    /** Every try is used up: the session ends. */
    | 'failed'
    /** The session has all its rights. */
    | 'unlocked';
  readonly by?: readonly UnlockChannel[];
  readonly digits?: number;
  readonly expiresIn?: number;
  readonly attemptsLeft?: number;
  readonly retryAfter?: number;
}

/** A session that waits for its one-time code, as the API shows it. */
export interface PendingUnlockDocument {
  readonly organisation: string;
  readonly clientId: string;
  readonly principal: string;
  readonly address: string;
  readonly since: string;
  readonly channels: readonly UnlockChannel[];
  readonly attemptsLeft: number;
  /** When its device asked for a code the last time. */
  readonly requestedAt?: string;
  /** Until when a code that was made is good. */
  readonly codeExpiresAt?: string;
}

/** A code that an operator asked for, to be told to the person at the device. */
export interface UnlockCodeDocument {
  readonly principal: string;
  readonly clientId: string;
  readonly code: string;
  readonly expiresAt: string;
}

/** The secret of an authenticator app, shown once: `uri` is what its QR code holds. */
export interface AuthenticatorDocument {
  readonly principal: string;
  readonly uri: string;
  readonly secret: string;
}
