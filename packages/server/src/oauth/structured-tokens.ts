import { Failure, principalName } from '@sallyport/model';
import type { Client, KoaContextWithOIDC, Provider } from 'oidc-provider';
import { suspension } from '../authentication/standing.ts';
import { findOauthClient, type OauthClientsOptions, subjectOf } from './oauth-clients.ts';
import type { OwnToken } from './own-tokens.ts';

export interface StructuredTokensOptions extends OauthClientsOptions {
  readonly read: (token: string) => Promise<OwnToken | undefined>;
  /** Whether a token was revoked. */
  readonly revoked: (token: OwnToken) => Promise<boolean>;
  /** Revokes a token of a client that has proven who it is; `by` is its written form. */
  readonly revoke: (token: OwnToken, by: string) => Promise<void>;
  /** Whether a client may ask about the tokens of others. */
  readonly mayAsk: (client: Client) => Promise<boolean>;
  /** A client that wants a token revoked that is not its own. */
  readonly refused: (ctx: KoaContextWithOIDC, text: string) => void;
}

type Answer = { readonly status: number; readonly body: unknown };

const REVOKED: Answer = { status: 200, body: '' };
const INACTIVE: Answer = { status: 200, body: { active: false } };

/**
 * Answers revocation (RFC 7009) and introspection (RFC 7662) of signed tokens, which oidc-provider turns away after it has made sure who
 * the client is. What is no token of this server, or has ended, is answered as one that does not exist.
 */
export function answerStructuredTokens(provider: Provider, options: StructuredTokensOptions): void {
  provider.use(async (ctx, next) => {
    await next();
    if ((ctx.body as { readonly error?: unknown } | undefined)?.error !== 'unsupported_token_type') return;
    const { client, params, route } = (ctx as KoaContextWithOIDC).oidc;
    if (!client || typeof params?.token !== 'string') return;
    const asked = { ctx: ctx as KoaContextWithOIDC, client, token: await options.read(params.token) };
    const { status, body } = await (route === 'revocation'
      ? revocation(asked, options)
      : introspection(asked, options));
    ctx.status = status;
    // An empty answer is no JSON, which the one that it replaces was.
    ctx.remove('content-type');
    ctx.body = body;
  });
}

interface Asked {
  readonly ctx: KoaContextWithOIDC;
  readonly client: Client;
  readonly token: OwnToken | undefined;
}

async function revocation({ ctx, client, token }: Asked, options: StructuredTokensOptions): Promise<Answer> {
  if (token === undefined) return REVOKED;
  const asking = await findOauthClient(client.clientId, options);
  if (asking === undefined || subjectOf(asking.principal) !== token.sub) {
    // Who need not prove anything learns nothing either.
    if (client.clientAuthMethod === 'none') return REVOKED;
    const text = 'the token was issued to another client';
    options.refused(ctx, text);
    return { status: 400, body: { error: 'invalid_request', error_description: text } };
  }
  try {
    await options.revoke(token, principalName(asking.principal));
    return REVOKED;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    // RFC 7009 section 2.2.1: the client must not take it for revoked.
    ctx.set('retry-after', '60');
    return { status: 503, body: { error: 'temporarily_unavailable', error_description: error.message } };
  }
}

async function introspection({ client, token }: Asked, options: StructuredTokensOptions): Promise<Answer> {
  if (token === undefined) return INACTIVE;
  const asking = await findOauthClient(client.clientId, options);
  const own = asking !== undefined && subjectOf(asking.principal) === token.sub;
  if (!own && !(await options.mayAsk(client))) return INACTIVE;
  const named = await findOauthClient(String(token.claims.client_id), options);
  if (!named?.known || suspension(named.known) || (await options.revoked(token))) return INACTIVE;
  return { status: 200, body: { ...token.claims, active: true, token_type: 'Bearer' } };
}
