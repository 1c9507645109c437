import { principalName } from '@sallyport/model';
import type { Authenticator, Evidence, Verdict } from './authenticator.ts';
import type { Find, KnownCredential, KnownPrincipal, TokenMatcher } from './known-principal.ts';
import { standing } from './standing.ts';
import { unknownUserName } from './unknown-user-name.ts';
import { abstained, accepted, rejected } from './verdicts.ts';

export interface PasswordOptions {
  readonly findByUsername: Find;
  /** By the written form of a principal; only asked to find the cure of a refusal. */
  readonly findPrincipal: Find;
  readonly tokens: TokenMatcher;
  /** Checks a password against an encoded hash; bounded in concurrency, throws a Failure when too many wait. */
  readonly verifyHash: (password: Uint8Array, hash: string) => Promise<boolean>;
  /** A hash of nothing known, of the same cost as a real one. */
  readonly decoyHash: string;
  readonly now: () => number;
}

/** Checks a chosen user name and password against a stored password hash. */
export function passwordAuthenticator(options: PasswordOptions): Authenticator {
  const { findByUsername, verifyHash, decoyHash, now } = options;
  return {
    name: 'password',
    async authenticate(evidence: Evidence): Promise<Verdict> {
      const { username, password } = evidence;
      if (username === undefined || password === undefined) return abstained('There is no user name with a password.');
      const known = await findByUsername(username);
      const credential = known && passwordOf(known, username, now());
      // Unknown names pay for a hash too, or response times would list our user names.
      const matches = await verifyHash(password, credential ? (credential.hash as string) : decoyHash);
      if (known && !credential && known.credentials.some((c) => c.kind === 'scram' && c.username === username)) {
        return provesByScram(known, username);
      }
      if (!known || !credential) return unknownUserName(evidence, username, options);
      const name = principalName(known.principal);
      if (!matches) {
        return rejected('wrong_secret', `The password is not that of user name "${username}" (${name}).`, {
          cure: `Correct the password, or set a new one with \`sallyport ${known.principal.kind} credential add\`.`,
        });
      }
      return judged(known, credential, username, now());
    },
  };
}

/** For the trace alone: the client is told no more than of a name that nobody has. */
function provesByScram({ principal }: KnownPrincipal, username: string): Verdict {
  const text = `User name "${username}" (${principalName(principal)}) has no password for CONNECT: it proves itself by SCRAM.`;
  return rejected('proves_by_scram', text, {
    compared: { what: 'proof of the user name', found: 'a password in CONNECT', expected: 'SCRAM over AUTH of MQTT 5' },
    cure: `Have the client use the authentication method SCRAM-SHA-256 or SCRAM-SHA-512, or set a password with \`sallyport ${principal.kind} credential add\`.`,
  });
}

/** The newest password in force; one hash per login, so of several the newest alone counts. Else the newest that ended. */
function passwordOf({ credentials }: KnownPrincipal, username: string, now: number): KnownCredential | undefined {
  const passwords = credentials.filter((c) => c.kind === 'password' && c.username === username);
  const inForce = passwords.find(
    ({ revokedAt, expiresAt }) => revokedAt === undefined && (expiresAt === undefined || expiresAt > now),
  );
  return inForce ?? passwords[0];
}

function judged(known: KnownPrincipal, credential: KnownCredential, username: string, now: number): Verdict {
  const fallen = standing(known, credential, now);
  if (fallen) return rejected(fallen.reason, fallen.text, { cure: fallen.cure });
  return accepted(
    {
      principal: known.principal,
      credential: credential.id,
      credentialKind: 'password',
      roles: known.roles,
      ...(credential.expiresAt === undefined ? {} : { expiresAt: credential.expiresAt }),
    },
    {
      stage: 'authentication',
      outcome: 'passed',
      text: `The password is that of user name "${username}" (${principalName(known.principal)}).`,
    },
  );
}
