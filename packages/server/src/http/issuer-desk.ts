import { Failure, type IssuerSettings } from '@sallyport/model';
import { issuerAddressProblem } from '../authentication/issuer-request.ts';
import { keysFor, readSigningKeys, TOKEN_ALGORITHMS } from '../authentication/signing-keys.ts';
import { checkPrincipalTemplate } from '../authentication/token-principal.ts';

/** What a new issuer has where nothing is said: RFC 9068 and algorithms that nobody doubts. */
export const ISSUER_DEFAULTS = {
  tokens: 'signed',
  algorithms: ['ES256', 'EdDSA', 'PS256', 'RS256'],
  typ: 'at+jwt',
  clockSkew: 30,
  longestLife: 86_400,
  principal: 'application:{client_id}',
  grants: 'required',
  requireBound: false,
} as const satisfies Partial<IssuerSettings>;

export const MOST_SKEW = 300;
export const MOST_LIFE = 31 * 86_400;
export const MOST_CACHE = 3600;

/** A file in the folder of secrets, and nowhere else: or whoever may set issuers could have any file sent to an address of theirs. */
const SECRET_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** Throws `invalid_request` for settings that contradict themselves, or that nobody could be let in by. */
export function checkIssuer(settings: IssuerSettings): IssuerSettings {
  const { tokens, jwksUrl, keys, introspection } = settings;
  const addresses: Record<string, string | undefined> = { jwksUrl, 'introspection.url': introspection?.url };
  for (const [field, address] of Object.entries(addresses)) {
    const problem = address === undefined ? undefined : issuerAddressProblem(address);
    if (problem !== undefined) throw invalid(field, problem);
  }
  const template = checkPrincipalTemplate(settings.principal);
  if (!template.ok) throw invalid('principal', template.problem);
  checkIntrospection(settings);
  if (tokens === 'opaque') {
    if (introspection === undefined)
      throw invalid('introspection', 'opaque tokens say nothing, so their issuer has to be asked');
    if (jwksUrl !== undefined || keys !== undefined)
      throw invalid('keys', 'opaque tokens are not signed, so there are no keys');
    return settings;
  }
  if ((jwksUrl === undefined) === (keys === undefined)) {
    throw invalid('keys', 'either the address of the keys (jwksUrl) or the keys themselves are needed, and not both');
  }
  const unknown = settings.algorithms.find((name) => !(TOKEN_ALGORITHMS as readonly string[]).includes(name));
  if (unknown !== undefined) throw invalid('algorithms', `"${unknown}" is none of ${TOKEN_ALGORITHMS.join(', ')}`);
  if (keys !== undefined) checkKeys(keys, settings.algorithms);
  return settings;
}

function checkKeys(text: string, algorithms: readonly string[]): void {
  const read = readSigningKeys(text);
  if (!read.ok) throw invalid('keys', read.problem);
  const usable = read.keys.some((key) => algorithms.some((alg) => keysFor([key], { alg }).length > 0));
  if (!usable) throw invalid('keys', `none of them can sign by ${algorithms.join(', ')}`);
}

function checkIntrospection({ introspection }: IssuerSettings): void {
  if (introspection === undefined) return;
  const { secretFile, keyFile } = introspection;
  if ((secretFile === undefined) === (keyFile === undefined)) {
    throw invalid('introspection', 'either a client secret (secretFile) or a key (keyFile) is needed, and not both');
  }
  if (!SECRET_NAME.test(secretFile ?? keyFile ?? '')) {
    throw invalid(
      'introspection',
      'a secret is named by its file in the folder "secrets" of the data directory, without a path',
    );
  }
}

function invalid(field: string, problem: string): Failure {
  return new Failure('invalid_request', `${field}: ${problem}.`);
}
