import { isUtf8 } from 'node:buffer';
import { principalName } from '@sallyport/model';
import {
  readScramVerifier,
  SCRAM_ITERATIONS,
  SCRAM_SALT_LENGTH,
  type ScramHash,
  type ScramVerifier,
  scramProofFits,
  scramServerSignature,
} from '@sallyport/trust/secrets';
import type { ExchangeMethod, ExchangeStep } from './exchange-method.ts';
import type { Find, KnownCredential, KnownPrincipal } from './known-principal.ts';
import { type ClientFirst, readClientFinal, readClientFirst } from './scram-messages.ts';
import { standing } from './standing.ts';
import { accepted, type Rejected, rejected } from './verdicts.ts';

export interface ScramOptions {
  readonly hash: ScramHash;
  readonly findByUsername: Find;
  /** Bytes that nobody can foresee and that are always the same for a text: names that nobody has get a salt of their own. */
  readonly decoy: (text: string) => Uint8Array;
  /** The server's part of a nonce: printable, without a comma, new each time. */
  readonly nonce: () => string;
  readonly now: () => number;
}

/** What is known of who wants to come in; with a decoy of the verifier where there is none. */
interface Candidate {
  readonly known: KnownPrincipal | undefined;
  readonly credential: KnownCredential | undefined;
  readonly verifier: ScramVerifier;
}

/**
 * User name and password by SCRAM (RFC 5802, RFC 7677): the password never travels, and the server proves that it knows the client. A
 * name that nobody has gets a salt that does not change and is refused at the end, like a wrong password. Without channel binding.
 */
export function scramMethod(options: ScramOptions): ExchangeMethod {
  const { hash, nonce: newNonce } = options;
  const name = `SCRAM-${hash}`;
  const broken = (problem: string): Rejected => rejected('exchange_broken_off', `${name}: ${problem}.`);
  return {
    name,
    kind: 'proof',
    async begin(_evidence, data): Promise<ExchangeStep> {
      const text = textOf(data);
      if (text === undefined) return broken('the first message is not there, or no text');
      const first = readClientFirst(text);
      if (!first.ok) return broken(first.problem);
      const candidate = await findCandidate(options, first.value.username);
      const { salt, iterations } = candidate.verifier;
      const nonce = first.value.nonce + newNonce();
      const serverFirst = `r=${nonce},s=${salt.toString('base64')},i=${iterations}`;
      return {
        outcome: 'continue',
        data: Buffer.from(serverFirst),
        next(answer) {
          const answered = textOf(answer);
          const final = answered === undefined ? undefined : readClientFinal(answered);
          if (final === undefined) return broken('the last message is not there, or no text');
          if (!final.ok) return broken(final.problem);
          if (final.value.gs2Header !== first.value.gs2Header)
            return broken('the last message repeats another header than the first');
          if (final.value.nonce !== nonce) return broken('the last message has another nonce');
          const authMessage = `${first.value.bare},${serverFirst},${final.value.withoutProof}`;
          return conclude(options, first.value, candidate, authMessage, final.value.proof);
        },
      };
    },
  };
}

function conclude(
  { hash, now }: ScramOptions,
  { username }: ClientFirst,
  { known, credential, verifier }: Candidate,
  authMessage: string,
  proof: Uint8Array,
): ExchangeStep {
  // Before anything is said of names: a name that nobody has pays for the comparison too.
  const fits = scramProofFits(verifier, authMessage, proof);
  const found = printable(username);
  if (!known) {
    return rejected('unknown_identity', 'No such user name is registered.', {
      compared: { what: 'user name', found, expected: 'a registered user name' },
    });
  }
  const name = principalName(known.principal);
  const { kind } = known.principal;
  if (!credential) {
    return rejected('no_valid_credential', `User name "${found}" (${name}) has no password for SCRAM-${hash}.`, {
      cure: `Set one with \`sallyport ${kind} credential add --scram\`.`,
    });
  }
  if (!fits) {
    return rejected('wrong_secret', `The proof is not that of the password of user name "${found}" (${name}).`, {
      cure: `Correct the password, or set a new one with \`sallyport ${kind} credential add --scram\`.`,
    });
  }
  const fallen = standing(known, credential, now());
  if (fallen) return rejected(fallen.reason, fallen.text, { cure: fallen.cure });
  const verdict = accepted(
    {
      principal: known.principal,
      credential: credential.id,
      credentialKind: 'scram',
      roles: known.roles,
      ...(credential.expiresAt === undefined ? {} : { expiresAt: credential.expiresAt }),
    },
    {
      stage: 'authentication',
      outcome: 'passed',
      text: `SCRAM-${hash} has proven the password of user name "${found}" (${name}).`,
    },
  );
  return { ...verdict, data: Buffer.from(`v=${scramServerSignature(verifier, authMessage).toString('base64')}`) };
}

async function findCandidate({ findByUsername, hash, decoy, now }: ScramOptions, username: string): Promise<Candidate> {
  const known = await findByUsername(username);
  const credential = known && scramOf(known, username, now());
  const verifier = credential && readScramVerifier(credential.hash as string, hash);
  if (verifier) return { known, credential, verifier };
  const bytes = decoy(`scram ${hash} ${username}`);
  return {
    known,
    credential: undefined,
    verifier: {
      hash,
      salt: Buffer.from(bytes).subarray(0, SCRAM_SALT_LENGTH),
      iterations: SCRAM_ITERATIONS,
      // The hash of nothing that anybody could find.
      storedKey: Buffer.alloc(hash === 'SHA-256' ? 32 : 64, bytes),
      serverKey: Buffer.alloc(0),
    },
  };
}

/** The newest in force; else the newest that ended, so that the refusal can say what became of it. */
function scramOf({ credentials }: KnownPrincipal, username: string, now: number): KnownCredential | undefined {
  const own = credentials.filter((credential) => credential.kind === 'scram' && credential.username === username);
  const inForce = own.find(
    ({ revokedAt, expiresAt }) => revokedAt === undefined && (expiresAt === undefined || expiresAt > now),
  );
  return inForce ?? own[0];
}

function textOf(data: Uint8Array | undefined): string | undefined {
  return data === undefined || data.length > 2048 || !isUtf8(data) ? undefined : Buffer.from(data).toString('utf8');
}

function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 64);
}
