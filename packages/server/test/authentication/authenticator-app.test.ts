import { Secret, TOTP } from 'otpauth';
import { describe, expect, it } from 'vitest';
import { enrolmentOf, stepOfCode } from '../../src/authentication/authenticator-app.ts';

/** The secret of RFC 4226 appendix D and RFC 6238 appendix B. */
const SECRET = Buffer.from('12345678901234567890');

describe('codes of an authenticator app', () => {
  // RFC 6238 appendix B has eight digits; the last six are the code of six digits (RFC 4226 section 5.3).
  it.each([
    [59, '94287082'],
    [1_111_111_109, '07081804'],
    [1_111_111_111, '14050471'],
    [1_234_567_890, '89005924'],
    [2_000_000_000, '69279037'],
    [20_000_000_000, '65353130'],
  ])('are those of RFC 6238 at %i s', (seconds, code) => {
    expect(stepOfCode(SECRET, code.slice(2), seconds * 1000, -1)).toBe(Math.floor(seconds / 30));
  });

  // RFC 4226 appendix D, counters 0 to 9: a step is the counter.
  it.each(
    ['755224', '287082', '359152', '969429', '338314', '254676', '287922', '162583', '399871', '520489'].map(
      (code, counter) => [counter, code] as const,
    ),
  )('are those of RFC 4226 for counter %i', (counter, code) => {
    expect(stepOfCode(SECRET, code, counter * 30_000, -1)).toBe(counter);
  });

  it('are taken one step early or late, and no more', () => {
    const now = 1_000_000 * 30_000;
    for (const [shift, taken] of [
      [-2, false],
      [-1, true],
      [0, true],
      [1, true],
      [2, false],
    ] as const) {
      expect(stepOfCode(SECRET, codeAt(now + shift * 30_000), now, -1) !== undefined).toBe(taken);
    }
  });

  it('are good once: neither the step that was used nor one before it is taken again', () => {
    const now = 1_000_000 * 30_000;
    const used = stepOfCode(SECRET, codeAt(now), now, -1)!;
    expect(stepOfCode(SECRET, codeAt(now), now, used)).toBeUndefined();
    expect(stepOfCode(SECRET, codeAt(now - 30_000), now, used)).toBeUndefined();
    expect(stepOfCode(SECRET, codeAt(now + 30_000), now, used)).toBe(used + 1);
  });

  it.each(['', '12345', '1234567', '12345a', '１２３４５６', '-12345', '1e5000'])(
    'are six digits, and not %j',
    (code) => {
      expect(stepOfCode(SECRET, code, 0, -1)).toBeUndefined();
    },
  );

  it('can be made by the app that reads the address', () => {
    const now = 1_000_000 * 30_000;
    const { uri, secret } = enrolmentOf(SECRET, 'device:demo/pump/pump-7');
    expect(uri).toMatch(/^otpauth:\/\/totp\/Sallyport:demo%2Fpump%2Fpump-7\?issuer=Sallyport&secret=/);
    expect(Secret.fromBase32(secret).bytes).toEqual(new Uint8Array(SECRET));
    const parameters = new URL(uri).searchParams;
    const app = new TOTP({ secret: Secret.fromBase32(parameters.get('secret')!) });
    expect(stepOfCode(SECRET, app.generate({ timestamp: now }), now, -1)).toBe(1_000_000);
  });
});

function codeAt(timestamp: number): string {
  return TOTP.generate({ secret: Secret.fromLatin1(SECRET.toString('latin1')), timestamp });
}
