import { Secret, TOTP } from 'otpauth';

/** What authenticator apps agree on without asking (RFC 6238 sections 4 and 5.2): SHA-1, six digits, steps of 30 seconds. */
const ALGORITHM = 'SHA1';
const DIGITS = 6;
const PERIOD = 30;
/** Steps before and after the present one that are taken too: clocks differ, and people type slowly (RFC 6238 section 5.2). */
const WINDOW = 1;

/**
 * The time step whose code this is; undefined if it is of none near `now` (milliseconds since the epoch), or of one up to `lastStep`,
 * whose code was used already.
 */
export function stepOfCode(secret: Uint8Array, code: string, now: number, lastStep: number): number | undefined {
  if (!/^[0-9]{6}$/.test(code)) return undefined;
  const delta = TOTP.validate({
    token: code,
    secret: secretOf(secret),
    algorithm: ALGORITHM,
    digits: DIGITS,
    period: PERIOD,
    timestamp: now,
    window: WINDOW,
  });
  if (delta === null) return undefined;
  const step = Math.floor(now / 1000 / PERIOD) + delta;
  return step > lastStep ? step : undefined;
}

/** The address that an authenticator app reads from a QR code, and the secret for those that have no camera. */
export function enrolmentOf(secret: Uint8Array, principal: string): { readonly uri: string; readonly secret: string } {
  const shared = secretOf(secret);
  const label = principal.replace(/^[a-z]+:/, '');
  const totp = new TOTP({
    issuer: 'Sallyport',
    label,
    algorithm: ALGORITHM,
    digits: DIGITS,
    period: PERIOD,
    secret: shared,
  });
  return { uri: totp.toString(), secret: shared.base32 };
}

function secretOf(bytes: Uint8Array): Secret {
  // The library takes a whole buffer, and small ones of Node are parts of a larger one.
  return new Secret({ buffer: Uint8Array.from(bytes).buffer });
}
