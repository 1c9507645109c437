import { createHmac, timingSafeEqual } from 'node:crypto';

/** What a code is good for: this device in this one connection, and nothing else. */
export interface CodeBinding {
  /** Written form of the principal. */
  readonly principal: string;
  readonly clientId: string;
  /** Number of the connection. */
  readonly presence: number;
}

/** What is kept of a code. The code itself cannot be read from it. */
export interface Challenge {
  readonly hash: Uint8Array;
  /** Milliseconds since the epoch, exclusive. */
  readonly expiresAt: number;
}

export interface OneTimeCodes {
  /** Makes a code. It is in no other answer, ever. */
  issue(binding: CodeBinding): { readonly code: string; readonly challenge: Challenge };
  /** Compares in constant time. */
  check(challenge: Challenge, code: string, binding: CodeBinding): 'right' | 'wrong' | 'expired';
}

export interface OneTimeCodeOptions {
  /** Key of the hashes; at least 32 bytes, and not kept longer than the codes are. */
  readonly key: Uint8Array;
  /** Cryptographic randomness. */
  readonly random: (size: number) => Uint8Array;
  readonly now: () => number;
  /** At most 10. */
  readonly digits: number;
  /** Milliseconds. */
  readonly lifetime: number;
}

/** One-time codes of so many digits, each as likely as any other. */
export function oneTimeCodes({ key, random, now, digits, lifetime }: OneTimeCodeOptions): OneTimeCodes {
  const codes = 10n ** BigInt(digits);
  // Numbers above the last whole multiple would make some codes likelier than others.
  const fair = 2n ** 64n - (2n ** 64n % codes);

  function draw(): string {
    for (;;) {
      const number = Buffer.from(random(8)).readBigUInt64BE();
      if (number < fair) return String(number % codes).padStart(digits, '0');
    }
  }

  function hashOf(code: string, { principal, clientId, presence }: CodeBinding): Buffer {
    return createHmac('sha256', key)
      .update(JSON.stringify([principal, clientId, presence, code]))
      .digest();
  }

  return {
    issue(binding) {
      const code = draw();
      return { code, challenge: { hash: hashOf(code, binding), expiresAt: now() + lifetime } };
    },
    check({ hash, expiresAt }, code, binding) {
      const right = timingSafeEqual(hash, hashOf(code, binding));
      if (now() >= expiresAt) return 'expired';
      return right ? 'right' : 'wrong';
    },
  };
}
