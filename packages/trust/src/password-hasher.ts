import { isUtf8 } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import type { Options } from '@node-rs/argon2';
import { Failure } from '@sallyport/model';
import { boundedQueue } from './bounded-queue.ts';

export interface PasswordHasherOptions {
  /** Hashes computed at the same time. Each takes 19 MiB and a thread of the pool. Default 2. */
  readonly concurrency?: number;
  /** Calls that may wait for their turn; one more is refused with `queue_full`. Default 200. */
  readonly queue?: number;
}

/** Keeps and checks secrets that people choose. */
export interface PasswordHasher {
  /** Argon2id in PHC string form, with its own salt. */
  hash(password: string): Promise<string>;
  /** False for a wrong password and for a stored value that is no Argon2id hash of bounded cost. Throws `queue_full` if too many wait. */
  matches(password: string | Uint8Array, hash: string): Promise<boolean>;
  /** A hash of a secret that nobody knows. Check unknown names against it, or response times tell which names exist. */
  readonly decoy: string;
}

/** RFC 9106 section 4 and the OWASP password storage cheat sheet: 19 MiB, two passes, one lane. */
const COST: Options = { memoryCost: 19_456, timeCost: 2, parallelism: 1, outputLen: 32 };
const PASSWORD_BYTES_MAXIMUM = 1024;

/** Argon2id with a bound on what strangers can make the server compute at a time. */
export function passwordHasher(options: PasswordHasherOptions = {}): PasswordHasher {
  const queue = boundedQueue({
    concurrency: options.concurrency ?? 2,
    waiting: options.queue ?? 200,
    full: () =>
      new Failure('queue_full', 'more passwords wait to be checked than this server checks at a time', {
        cure: 'Try again after a pause; use tokens for devices, which need no slow hash.',
      }),
  });
  return {
    decoy: decoyHash(),
    hash(password) {
      return queue(async () => {
        if (Buffer.byteLength(password) > PASSWORD_BYTES_MAXIMUM) {
          throw new Failure('invalid_request', `a password may have at most ${PASSWORD_BYTES_MAXIMUM} bytes`);
        }
        return (await argon2()).hash(password, COST);
      });
    },
    matches(password, stored) {
      return queue(async () => {
        const { parseOptions, verify } = await argon2();
        // What can be nobody's password pays for a hash like any other; the library throws on bytes that are not UTF-8.
        const candidate = isPossible(password) ? password : randomBytes(16).toString('hex');
        return isBoundedHash(stored, parseOptions) && (await verify(stored, candidate));
      });
    },
  };
}

type Argon2 = typeof import('@node-rs/argon2');
let loaded: Promise<Argon2> | undefined;

/** Loaded at the first use: a device that only makes tokens does not need the binary. */
function argon2(): Promise<Argon2> {
  loaded ??= import('@node-rs/argon2');
  return loaded;
}

function isPossible(password: string | Uint8Array): boolean {
  return Buffer.byteLength(password) <= PASSWORD_BYTES_MAXIMUM && (typeof password === 'string' || isUtf8(password));
}

/** A stored hash of foreign origin must not be able to ask for gigabytes. */
function isBoundedHash(stored: string, parseOptions: Argon2['parseOptions']): boolean {
  if (!stored.startsWith('$argon2id$') || stored.length > 512) return false;
  try {
    const { memoryCost, timeCost, parallelism } = parseOptions(stored);
    return memoryCost <= 262_144 && timeCost <= 16 && parallelism <= 16;
  } catch {
    return false;
  }
}

/** Well formed and of the real cost; a random digest is the hash of no password anybody can find. */
function decoyHash(): string {
  const { memoryCost, timeCost, parallelism } = COST;
  const salt = randomBytes(16).toString('base64').replace(/=+$/, '');
  const digest = randomBytes(32).toString('base64').replace(/=+$/, '');
  return `$argon2id$v=19$m=${memoryCost},t=${timeCost},p=${parallelism}$${salt}$${digest}`;
}
