import { Failure } from '@sallyport/model';
import type { AccessToken, FetchAccessToken } from './access-token-proof.ts';
import { type ClientSigner, clientAssertion, signerAtHand } from './client-assertion.ts';
import { httpsPost } from './https-post.ts';

/** How a client gets access tokens of an authorization server by itself (RFC 6749 section 4.4). In Node only. */
export interface ClientCredentials {
  /** Address of the token endpoint; https. */
  readonly tokenEndpoint: string;
  readonly clientId: string;
  /** Shared secret, sent by HTTP Basic; or `privateKey` or `signer`. */
  readonly clientSecret?: string;
  /** Private key in PKCS#8 PEM, Ed25519 or P-256, that signs an assertion (`private_key_jwt`, RFC 7523). It stays here. */
  readonly privateKey?: string;
  /** Signs the assertion in the place of `privateKey`, for a key that never leaves its chip or key service. */
  readonly signer?: ClientSigner;
  /** `kid` of the key, where the authorization server asks for it. */
  readonly keyId?: string;
  /** `aud` of the assertion: the issuer that the authorization server calls itself. Needed with `privateKey` and `signer`. */
  readonly issuer?: string;
  readonly scope?: string;
  /** What the token is for (RFC 8707), where the authorization server asks for it. */
  readonly resource?: string;
  /** Root certificate to trust: PEM text, or the path of a PEM file. The authorities of the runtime if absent. */
  readonly ca?: string;
}

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const BROKEN: ReadonlySet<string> = new Set(['server_unreachable', 'connection_lost']);
/** Errors of RFC 6749 section 5.2 that a second attempt would meet again. */
const FINAL =
  /^(invalid_client|unauthorized_client|invalid_scope|invalid_grant|unsupported_grant_type|invalid_target|invalid_request)$/;

/**
 * Fetches tokens by client credentials, over verified TLS, without following redirects.
 *
 * @throws Failure `invalid_request` if the settings contradict themselves; what it answers fails with `token_refused`, `token_unavailable`
 */
export function clientCredentials(settings: ClientCredentials): FetchAccessToken {
  const { tokenEndpoint, clientId, clientSecret, privateKey, signer, issuer, keyId, scope, resource } = settings;
  if (!URL.canParse(tokenEndpoint) || new URL(tokenEndpoint).protocol !== 'https:') {
    throw new Failure('invalid_request', 'The token endpoint is no https address.', {
      cure: 'Give the address that `sallyport oauth show` begins with, and /token; or that of your authorization server.',
    });
  }
  if ([clientSecret, privateKey, signer].filter((each) => each !== undefined).length !== 1) {
    throw new Failure('invalid_request', 'A client proves itself by clientSecret, by privateKey or by signer.', {
      cure: 'Give one of the three.',
    });
  }
  if (signer !== undefined && (typeof signer.sign !== 'function' || !['ES256', 'EdDSA'].includes(signer.algorithm))) {
    throw new Failure('invalid_request', 'The signer has no function that signs, or no algorithm that is taken.', {
      cure: "Give { algorithm: 'ES256' or 'EdDSA', sign: async (data) => … }.",
    });
  }
  if (clientSecret === undefined && issuer === undefined) {
    throw new Failure('invalid_request', 'It is not said for whom the assertion is.', {
      cure: 'Give `issuer`: what the authorization server calls itself (`sallyport oauth show`).',
    });
  }
  const form = {
    grant_type: 'client_credentials',
    ...(scope === undefined ? {} : { scope }),
    ...(resource === undefined ? {} : { resource }),
  };
  return async (signal) => {
    if (clientSecret !== undefined) {
      // RFC 6749 section 2.3.1: encoded as in a form before it is joined.
      const authorization = `Basic ${btoa([clientId, clientSecret].map(formEncoded).join(':'))}`;
      return ask(settings, form, { authorization }, signal);
    }
    const by = signer ?? (await signerAtHand(privateKey ?? ''));
    const assertion = await clientAssertion({ clientId, issuer: issuer ?? '', keyId }, by);
    const proof = { client_id: clientId, client_assertion_type: ASSERTION_TYPE, client_assertion: assertion };
    return ask(settings, { ...form, ...proof }, {}, signal);
  };
}

async function ask(
  { tokenEndpoint, ca }: ClientCredentials,
  form: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<AccessToken> {
  const told = {
    accept: 'application/json',
    'content-type': 'application/x-www-form-urlencoded',
    ...headers,
  };
  const posted = { address: tokenEndpoint, ca, headers: told, body: new URLSearchParams(form).toString() };
  const { status, text } = await httpsPost(posted, signal).catch((cause: unknown) => {
    // Whom it does not trust, and a root that cannot be read, a client names as such.
    if (!(cause instanceof Failure) || !BROKEN.has(cause.code)) throw cause;
    throw new Failure('token_unavailable', `No access token could be fetched. ${cause.message}`, { cause });
  });
  const { host } = new URL(tokenEndpoint);
  const answer = jsonOf(text);
  if (status === 200 && typeof answer.access_token === 'string') {
    const seconds = Number(answer.expires_in);
    const end = seconds > 0 ? { expiresAt: Date.now() + seconds * 1000 } : {};
    return { token: answer.access_token, ...end };
  }
  const error = typeof answer.error === 'string' && /^[a-z_]{1,64}$/.test(answer.error) ? answer.error : undefined;
  if (error !== undefined && FINAL.test(error)) {
    throw new Failure('token_refused', `The authorization server at ${host} gives no token: ${error}.`, cureOf(error));
  }
  throw new Failure(
    'token_unavailable',
    `The authorization server at ${host} answered ${error ?? `status ${status}`}.`,
  );
}

function cureOf(error: string): { readonly cure?: string } {
  if (error === 'invalid_client') {
    return {
      cure: 'Give the client id and the secret or key that the authorization server knows; a suspended client is none.',
    };
  }
  if (error === 'invalid_scope') {
    return {
      cure: 'Ask for less: a scope that the policy does not permit is refused. `sallyport refusals` says which.',
    };
  }
  return {};
}

function jsonOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function formEncoded(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1);
}
