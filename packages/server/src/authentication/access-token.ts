import { isUtf8 } from 'node:buffer';
import { type ClientId, principalName, type RefusalReason } from '@sallyport/model';
import { type Grants, MOST_GRANTS, parseAuthorizationDetails, parseScope } from '@sallyport/policy';
import { compactVerify } from 'jose';
import type { Authenticator, Evidence } from './authenticator.ts';
import type { ExchangeMethod } from './exchange-method.ts';
import type { Introspect } from './introspection.ts';
import { type KeptTokens, tokenHash } from './kept-tokens.ts';
import type { KeySets } from './key-sets.ts';
import type { FindIssuers, KnownIssuer } from './known-issuer.ts';
import type { Find } from './known-principal.ts';
import { looksSigned, readSignedToken, type SignedToken } from './signed-token.ts';
import { suspension } from './standing.ts';
import { type ClaimProblem, type Claims, endOfToken, judgeBinding, judgeClaims, printable } from './token-claims.ts';
import { principalOfToken, type TokenPrincipal } from './token-principal.ts';
import { type Accepted, abstained, accepted, type Rejected, rejected } from './verdicts.ts';

/** The user name with which an access token is sent as password. */
const ACCESS_TOKEN_USER_NAME = 'use-access-token';
/** The authentication method of MQTT 5 whose data is an access token. */
const ACCESS_TOKEN_METHOD = 'ACCESS-TOKEN';

export interface AccessTokenOptions {
  readonly findIssuers: FindIssuers;
  readonly keySets: Pick<KeySets, 'find'>;
  /** Asks the issuer about a token. */
  readonly introspect: Introspect;
  readonly kept: Pick<KeptTokens, 'keep'>;
  readonly findPrincipal: Find;
  readonly now: () => number;
}

type Judge = (evidence: Evidence, token: Uint8Array | undefined) => Promise<Accepted | Rejected>;

/** An access token as password of CONNECT, under a user name of its own. */
export function accessTokenAuthenticator(options: AccessTokenOptions): Authenticator {
  const judge = accessTokenJudge(options);
  const meant = ({ username }: Evidence): boolean => username === ACCESS_TOKEN_USER_NAME;
  return {
    name: 'access-token',
    insists: meant,
    authenticate(evidence) {
      return meant(evidence)
        ? judge(evidence, evidence.password)
        : abstained(`The user name is not "${ACCESS_TOKEN_USER_NAME}".`);
    },
  };
}

/** An access token as authentication data of MQTT 5: one step, and the way to renew a token in a session. */
export function accessTokenMethod(options: AccessTokenOptions): ExchangeMethod {
  const judge = accessTokenJudge(options);
  return {
    name: ACCESS_TOKEN_METHOD,
    kind: 'proof',
    begin: judge,
  };
}

/** A token whose issuer has signed it, or vouched for it. */
interface Vouched {
  readonly issuer: KnownIssuer;
  readonly claims: Claims;
  readonly from: 'signed' | 'introspected';
}

/**
 * Judges access tokens (RFC 9068, RFC 7662). Order: form, issuer, signature or the issuer's own word, claims, binding, whom it names,
 * what it grants. Nothing of a token is believed before its signature but which issuer it says it is of.
 */
function accessTokenJudge(options: AccessTokenOptions): Judge {
  return async (evidence, bytes) => {
    if (bytes === undefined || bytes.length === 0) {
      return rejected('missing_credential', 'No access token was sent.', {
        cure: 'Send the access token as password, or as authentication data.',
      });
    }
    // RFC 6750 section 2.1: a token is visible ASCII.
    const text = isUtf8(bytes) ? Buffer.from(bytes).toString('utf8') : '';
    if (!/^[\x21-\x7e]+$/.test(text)) {
      const cure = 'Send the token as it came from the authorization server, without line break and quotes.';
      return rejected('access_token_invalid', 'The access token holds a character that no token has.', { cure });
    }
    const vouched = looksSigned(text)
      ? await vouchSigned(options, evidence, text)
      : await vouchOpaque(options, evidence, text);
    if ('outcome' in vouched) return vouched;
    return judgeVouched(options, evidence, text, vouched);
  };
}

async function vouchSigned(
  options: AccessTokenOptions,
  { clientId }: Evidence,
  text: string,
): Promise<Vouched | Rejected> {
  const read = readSignedToken(text);
  if (!read.ok) return rejected('access_token_invalid', `The access token cannot be read: ${read.problem}.`);
  const { token } = read;
  const { iss } = token.claims;
  if (typeof iss !== 'string') return rejected('access_token_invalid', 'The access token names no issuer.');
  const issuer = await issuerOf(options, clientId, iss);
  if ('outcome' in issuer) return issuer;
  const problem = await proveSignature(options, issuer, token);
  if (problem !== undefined) return refusedFor(problem);
  if (issuer.introspection === undefined) return { issuer, claims: token.claims, from: 'signed' };
  const asked = await options.introspect(issuer, text);
  if (asked.outcome !== 'active') return rejected(asked.reason, asked.text);
  return { issuer, claims: token.claims, from: 'signed' };
}

async function issuerOf(
  { findIssuers }: AccessTokenOptions,
  clientId: ClientId,
  iss: string,
): Promise<KnownIssuer | Rejected> {
  const organisation = clientId.kind === 'plain' ? undefined : clientId.organisation;
  const found = (await findIssuers({ ...(organisation === undefined ? {} : { organisation }), issuer: iss })).filter(
    ({ tokens }) => tokens === 'signed',
  );
  const [only] = found;
  if (only === undefined) {
    return rejected(
      'access_token_unknown_issuer',
      'No organisation that is meant knows the issuer of the access token.',
      {
        compared: {
          what: 'issuer',
          found: printable(iss),
          expected: organisation === undefined ? 'one that is registered' : `one of organisation ${organisation}`,
        },
      },
    );
  }
  return found.length === 1 ? only : ambiguous(found.length);
}

function ambiguous(count: number): Rejected {
  return rejected('access_token_unknown_issuer', `${count} organisations know the issuer of the access token.`, {
    cure: 'Use a client id that names the organisation, such as a:ORGANISATION:APPLICATION.',
  });
}

async function proveSignature(
  { keySets }: AccessTokenOptions,
  issuer: KnownIssuer,
  { text, header }: SignedToken,
): Promise<ClaimProblem | undefined> {
  const { alg, typ } = header;
  const { algorithms } = issuer;
  if (!(algorithms as readonly string[]).includes(alg)) {
    return {
      reason: 'access_token_invalid',
      text: 'The access token is signed by an algorithm that its issuer may not use.',
      compared: { what: 'algorithm', found: printable(alg), expected: algorithms.join(', ') },
    };
  }
  if (issuer.typ !== 'any' && mediaType(typ) !== mediaType(issuer.typ)) {
    return {
      reason: 'access_token_invalid',
      text: 'The token is not of the type of access tokens.',
      compared: { what: 'typ', found: printable(typ ?? 'none'), expected: issuer.typ },
    };
  }
  const keys = await keySets.find(issuer, header);
  if (keys.found === undefined) {
    return { reason: keys.unavailable ? 'issuer_unavailable' : 'access_token_unknown_key', text: keys.text };
  }
  for (const { key } of keys.found) {
    try {
      await compactVerify(text, key, { algorithms: [alg] });
      return undefined;
    } catch {
      // Whatever the library finds wrong, the signature does not count.
    }
  }
  return { reason: 'access_token_invalid', text: 'The signature of the access token is not that of its issuer.' };
}

/** RFC 7515 section 4.1.9: `application/` may be left out, and case does not count. */
function mediaType(typ: string | undefined): string | undefined {
  return typ?.toLowerCase().replace(/^application\//, '');
}

async function vouchOpaque(
  options: AccessTokenOptions,
  { clientId }: Evidence,
  text: string,
): Promise<Vouched | Rejected> {
  if (clientId.kind === 'plain') {
    return rejected(
      'access_token_unknown_issuer',
      'An opaque token does not say of which issuer it is, nor the client id of which organisation.',
      {
        cure: 'Use a client id that names the organisation, such as a:ORGANISATION:APPLICATION.',
      },
    );
  }
  const { organisation } = clientId;
  const [issuer, second] = await options.findIssuers({ organisation });
  if (issuer === undefined) {
    return rejected(
      'access_token_unknown_issuer',
      `The token is no JWT, and organisation ${organisation} has no issuer of opaque tokens.`,
    );
  }
  if (second !== undefined) return ambiguous(2);
  const asked = await options.introspect(issuer, text);
  if (asked.outcome !== 'active') return rejected(asked.reason, asked.text);
  return { issuer, claims: asked.claims, from: 'introspected' };
}

async function judgeVouched(
  { findPrincipal, kept, now }: AccessTokenOptions,
  { clientId, transport }: Evidence,
  text: string,
  { issuer, claims, from }: Vouched,
): Promise<Accepted | Rejected> {
  const problem = judgeClaims(issuer, claims, now(), from) ?? judgeBinding(issuer, claims, transport);
  if (problem !== undefined) return refusedFor(problem);
  const names = issuer.revocations?.namesOf(claims);
  const revoked = names && issuer.revocations?.find(names);
  if (revoked !== undefined) return refusedFor({ reason: 'access_token_revoked', text: revoked });
  const named = principalOfToken(issuer.principal, claims, issuer.organisation);
  if (!named.ok) return refusedFor(nobody(`The access token names nobody by ${issuer.principal}: ${named.problem}.`));
  const principal = named.value;
  const name = principalName(principal);
  const known = await findPrincipal(name);
  if (!known) return refusedFor(nobody(`The access token names ${name}, who is not registered.`));
  if (!fits(clientId, principal)) {
    return refusedFor({
      ...nobody('The access token names somebody else than the client id.'),
      compared: { what: 'client id', found: printable(clientId.text), expected: `that of ${name}` },
    });
  }
  const granted = grantsOf(issuer, claims, principal);
  if ('reason' in granted) return refusedFor(granted);
  const fallen = suspension(known);
  if (fallen) return rejected(fallen.reason, fallen.text, { cure: fallen.cure });
  const id = tokenId(claims, text);
  return accepted(
    {
      principal,
      credential: `${issuer.id}/${id}`,
      credentialKind: 'access-token',
      roles: known.roles,
      expiresAt: endOfToken(issuer, claims, now()),
      issuer: {
        id: issuer.id,
        version: issuer.version,
        ...(issuer.introspection === undefined ? {} : kept.keep(text, issuer)),
        ...(names === undefined ? {} : { names }),
      },
      ...(issuer.introspection === undefined ? {} : { judgedFor: issuer.introspection.cache * 1000 }),
      ...(granted.grants === undefined ? {} : { grants: granted.grants }),
    },
    {
      stage: 'authentication',
      outcome: 'passed',
      text: `The access token ${id} of issuer ${issuer.id} is that of ${name}${claims.cnf === undefined ? '' : ', bound to its certificate'}.`,
    },
  );
}

/** A client id that claims nobody fits everybody; whether it may be used is the second door's question. */
function fits(clientId: ClientId, principal: TokenPrincipal): boolean {
  if (clientId.kind === 'plain') return true;
  if (clientId.kind !== principal.kind || clientId.organisation !== principal.organisation) return false;
  if (clientId.id !== principal.id) return false;
  return principal.kind === 'application' || (clientId.kind !== 'application' && clientId.type === principal.type);
}

function grantsOf(
  { grants: wanted }: KnownIssuer,
  claims: Claims,
  principal: TokenPrincipal,
): { readonly grants: Grants | undefined } | ClaimProblem {
  const device = principal.kind === 'application' ? undefined : principal;
  const { scope, authorization_details: details } = claims;
  if (scope !== undefined && typeof scope !== 'string') return unclear('The claim "scope" is no text.');
  const scopes = parseScope(scope ?? '', device);
  if (!scopes.ok) return unclear(`The claim "scope": ${scopes.problem} (at character ${scopes.position + 1}).`);
  const detailed = parseAuthorizationDetails(details, device);
  if (!detailed.ok) return unclear(`The claim "authorization_details": ${detailed.problem}.`);
  if (scopes.value === undefined && detailed.value === undefined) {
    return wanted === 'optional' ? { grants: undefined } : unclear('The access token grants nothing on MQTT.');
  }
  const grants = [...(scopes.value ?? []), ...(detailed.value ?? [])];
  return grants.length > MOST_GRANTS ? unclear(`The access token grants more than ${MOST_GRANTS} topics.`) : { grants };
}

function unclear(text: string): ClaimProblem {
  return { reason: 'access_token_scope_invalid', text };
}

function nobody(text: string): ClaimProblem {
  return { reason: 'access_token_names_nobody', text };
}

function refusedFor({
  reason,
  text,
  compared,
}: {
  reason: RefusalReason;
  text: string;
  compared?: ClaimProblem['compared'];
}): Rejected {
  return rejected(reason, text, compared === undefined ? {} : { compared });
}

/** How records speak of a token: by its own id if that can be written, else by the beginning of its hash. Never by itself. */
function tokenId({ jti }: Claims, text: string): string {
  return typeof jti === 'string' && /^[\x21-\x7e]{1,64}$/.test(jti) ? jti : tokenHash(text).slice(0, 16);
}
