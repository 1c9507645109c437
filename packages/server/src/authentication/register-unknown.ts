import type { RefusalReason } from '@sallyport/model';

/** A device that is not registered and whose certificate counts, apart from that. */
export interface UnknownDevice {
  readonly organisation: string;
  readonly type: string;
  readonly id: string;
  /** SHA-256 of the trusted authority that the certificate led to. */
  readonly authority: string;
  /** SHA-256 of the certificate. */
  readonly fingerprint: string;
  readonly address: string;
}

/** Why it is not let in; the cure is that of the reason where it is left out. */
export interface NotRegistered {
  readonly reason: RefusalReason;
  readonly text: string;
  readonly cure?: string;
}

/** Registers an unknown device, or says why not. */
export type RegisterUnknown = (device: UnknownDevice) => Promise<'registered' | NotRegistered>;

export interface RegisterUnknownOptions {
  readonly modeOf: (device: UnknownDevice) => Promise<'off' | 'review' | 'automatic'>;
  /** Whether the type is there, and one of devices: gateways are registered by operators. */
  readonly isDeviceType: (device: UnknownDevice) => Promise<boolean>;
  readonly register: (device: UnknownDevice) => Promise<unknown>;
  readonly note: (device: UnknownDevice) => Promise<'noted' | 'again' | 'full'>;
  readonly bounds: {
    /** Per second; ten times as many at once. */
    readonly rate: number;
    /** Registered by one authority since the start. */
    readonly perAuthority: number;
  };
  readonly now: () => number;
}

const BURST = 10;
/** Authorities are few; the one seen longest ago is forgotten first. */
const AUTHORITIES_REMEMBERED = 10_000;

/**
 * Registration just in time: what an authority of the organisation has certified may come in without an operator, or waits for one.
 * Bounded in rate and number, as whoever holds the key of the authority can name what it likes.
 */
export function registerUnknown({
  modeOf,
  isDeviceType,
  register,
  note,
  bounds,
  now,
}: RegisterUnknownOptions): RegisterUnknown {
  const registered = new Map<string, number>();
  const bucket = { left: bounds.rate * BURST, at: now() };

  function tooFast(): boolean {
    const at = now();
    bucket.left = Math.min(bounds.rate * BURST, bucket.left + (Math.max(0, at - bucket.at) / 1000) * bounds.rate);
    bucket.at = at;
    if (bucket.left < 1) return true;
    bucket.left -= 1;
    return false;
  }

  return async (device) => {
    const name = `device:${device.organisation}/${device.type}/${device.id}`;
    const mode = await modeOf(device);
    if (mode === 'off') {
      return {
        reason: 'unknown_identity',
        text: `The certificate is that of ${name}, which is not registered, and its authority registers nobody.`,
        cure: 'Register it first, or let the authority register unknown devices: `sallyport ca set ID --registration review`.',
      };
    }
    if (!(await isDeviceType(device))) {
      return {
        reason: 'unknown_identity',
        text: `The certificate is that of ${name}, and there is no type of devices ${device.type}.`,
        cure: `Make the type first: \`sallyport type add ${device.type}\`.`,
      };
    }
    if (tooFast()) {
      return {
        reason: 'registration_limit',
        text: `More than ${bounds.rate} unknown devices came per second (enrolment.maximumRegistrationRate).`,
      };
    }
    if (mode === 'review') {
      const noted = await note(device);
      return noted === 'full'
        ? {
            reason: 'registration_limit',
            text: `As many devices of ${device.organisation} wait for approval as may (enrolment.maximumPendingDevices).`,
          }
        : {
            reason: 'registration_pending',
            text: `${name} is not registered and waits for the approval of an operator.`,
          };
    }
    const key = `${device.organisation} ${device.authority}`;
    const count = registered.get(key) ?? 0;
    if (count >= bounds.perAuthority) {
      return {
        reason: 'registration_limit',
        text: `The authority has registered ${count} devices since the start (enrolment.maximumRegistrations).`,
      };
    }
    registered.delete(key);
    registered.set(key, count + 1);
    const [oldest] = registered.keys();
    if (registered.size > AUTHORITIES_REMEMBERED && oldest !== undefined) registered.delete(oldest);
    await register(device);
    return 'registered';
  };
}
