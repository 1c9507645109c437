import { principalName, type TraceStep } from '@sallyport/model';
import type { Verdict } from './authenticator.ts';
import type { KnownCredential, KnownPrincipal, TokenMatcher } from './known-principal.ts';
import { standing } from './standing.ts';
import { accepted, rejected } from './verdicts.ts';

/** Compared with when nobody is known, so that an unknown name costs what a known one costs. */
const DECOY = new Uint8Array(32);

/**
 * Judges a token against the tokens on record of the principal that the client claims to be.
 * A revoked or expired token that matches is told apart from a wrong one: for the operator, not for the client.
 */
export function judgeToken(known: KnownPrincipal, token: Uint8Array, tokens: TokenMatcher, now: number): Verdict {
  const name = principalName(known.principal);
  const issued = known.credentials.filter((credential) => credential.kind === 'token');
  let match: KnownCredential | undefined;
  // Every token on record is compared, whether one has matched or not, so that the time tells nothing about which.
  for (const credential of issued) {
    if (tokens.matches(token, credential.hash as Uint8Array) && (!match || !inForce(match, now))) match = credential;
  }
  if (issued.length === 0) tokens.matches(token, DECOY);

  if (!match) return wrongToken(name, issued, token, now);
  const fallen = standing(known, match, now);
  if (fallen) return rejected(fallen.reason, fallen.text, { cure: fallen.cure });
  const step: TraceStep = {
    stage: 'authentication',
    outcome: 'passed',
    text: `The token is token ${match.id} of ${name}.`,
  };
  return accepted(
    {
      principal: known.principal,
      credential: match.id,
      credentialKind: 'token',
      roles: known.roles,
      ...(match.expiresAt === undefined ? {} : { expiresAt: match.expiresAt }),
    },
    step,
  );
}

/** The client claims to be somebody who does not exist: it pays for a comparison all the same. */
export function judgeNobody(token: Uint8Array, tokens: TokenMatcher): void {
  tokens.matches(token, DECOY);
}

function wrongToken(name: string, issued: readonly KnownCredential[], token: Uint8Array, now: number): Verdict {
  const valid = issued.filter((credential) => inForce(credential, now));
  if (valid.length > 0) {
    return rejected('wrong_secret', `The password is not one of the ${valid.length} valid token(s) of ${name}.`, {
      compared: {
        what: 'password',
        found: 'a token that does not match',
        expected: `token ${valid.map((c) => c.id).join(' or ')}`,
      },
      cure: endsInSpace(token)
        ? 'The password ends with a space or line break, which no token does: cut it off; a file often ends with one.'
        : `Use the token that was shown when ${name} was registered, or issue a new one with \`sallyport ${kindOf(name)} token\`.`,
    });
  }
  const last = issued[0];
  const lost = !last
    ? 'none was ever issued'
    : last.revokedAt !== undefined
      ? `token ${last.id} was revoked by ${last.revokedBy ?? 'the system'} at ${iso(last.revokedAt)}`
      : `token ${last.id} expired at ${iso(last.expiresAt ?? 0)}`;
  return rejected('no_valid_credential', `${name} has no valid token: ${lost}.`, {
    cure: `Issue a new token with \`sallyport ${kindOf(name)} token\`, if ${name} is to connect again.`,
  });
}

/** Space, tab, line feed, carriage return. */
function endsInSpace(secret: Uint8Array): boolean {
  return [0x20, 0x09, 0x0a, 0x0d].includes(secret.at(-1) ?? 0);
}

function inForce(credential: KnownCredential, now: number): boolean {
  return credential.revokedAt === undefined && (credential.expiresAt === undefined || credential.expiresAt > now);
}

function kindOf(name: string): string {
  return name.slice(0, name.indexOf(':'));
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
