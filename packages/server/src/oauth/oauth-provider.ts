import './url-parse.ts';
import { randomBytes } from 'node:crypto';
import type { Adapter, Client, Configuration, KoaContextWithOIDC, Provider } from 'oidc-provider';
import type { Authenticator } from '../authentication/authenticator.ts';
import { judgeNobody, judgeToken } from '../authentication/judge-token.ts';
import type { Find, KnownPrincipal, TokenMatcher } from '../authentication/known-principal.ts';
import { suspension } from '../authentication/standing.ts';
import type { PolicyInForce } from '../authorization/policy-store.ts';
import type { ClientKey } from '../registry/records.ts';
import type { ShownCertificate, ShownCertificates } from './client-certificate.ts';
import { clientMetadata, findOauthClient, subjectOf } from './oauth-clients.ts';
import { AlreadyConsumed, type OauthState } from './oauth-state.ts';
import { APPROVAL_CLAIM, approvalName } from './own-tokens.ts';
import { refusedScope } from './permitted-scopes.ts';
import type { PollingPace } from './polling-pace.ts';
import { type KeyRing, SIGNING_ALGORITHM } from './signing-keys.ts';
import { answerStructuredTokens, type StructuredTokensOptions } from './structured-tokens.ts';

/** Durations in milliseconds. */
export interface OauthTerms {
  readonly accessTokens: 'jwt' | 'opaque';
  readonly accessTokenLifetime: number;
  readonly refreshTokenLifetime: number;
  readonly deviceCodeLifetime: number;
  /** Between two questions of a device whether it was approved. */
  readonly deviceInterval: number;
}

export interface OauthProviderOptions {
  readonly organisation: string;
  readonly issuer: string;
  readonly audience: string;
  readonly terms: OauthTerms;
  readonly ring: KeyRing;
  readonly state: OauthState;
  readonly pace: PollingPace;
  readonly findPrincipal: Find;
  readonly findByKey: Find;
  readonly clientKeys: (application: string) => Promise<readonly ClientKey[]>;
  readonly tokens: TokenMatcher;
  readonly loadPolicy: (organisation: string) => PolicyInForce | Promise<PolicyInForce>;
  /** Judges the certificates of connections. */
  readonly certificates: Authenticator;
  readonly shown: ShownCertificates;
  /** What signed tokens are read, revoked and asked about by. */
  readonly signed: Pick<StructuredTokensOptions, 'read' | 'revoked' | 'revoke' | 'refused'>;
  /** Ends the signed tokens of an approval. */
  readonly revokeApproval: (name: string) => Promise<void>;
  readonly now: () => number;
}

/** Signatures that clients may prove themselves with; whoever shows another key type is refused when it is registered. */
export const CLIENT_ALGORITHMS = ['ES256', 'EdDSA'] as const;
/** Roles whose applications may ask about the tokens of others: they stand for resource servers. */
const INTROSPECTING_ROLES = ['operations', 'backend-trusted'];

/** oidc-provider, set up as the authorization server of one organisation. Only the paths that the door lets through can be reached. */
export async function oauthProvider(options: OauthProviderOptions): Promise<Provider> {
  const { organisation, issuer, audience, terms, ring, state, tokens, now } = options;
  const { Provider, errors } = await import('oidc-provider');
  const placeholderSecret = randomBytes(32).toString('hex');
  const find = (id: string) => findOauthClient(id, options);
  const seconds = (milliseconds: number) => Math.max(1, Math.floor(milliseconds / 1000));

  async function metadataOf(id: string) {
    const client = await find(id);
    const ctx = Provider.ctx;
    const assertion = ctx?.oidc?.params?.client_assertion;
    const shown = shownOn(ctx);
    if (!client) {
      judgeNobody(Buffer.from(id), tokens);
      return undefined;
    }
    if (client.principal.kind === 'application' && (!client.known || suspension(client.known))) return undefined;
    const signed = assertion !== undefined && client.principal.kind === 'application';
    const keys = signed ? await options.clientKeys(client.principal.id) : [];
    const { method } =
      shown && ctx && provesNothingElse(ctx)
        ? await shown.judge(id, client.principal, options.certificates)
        : { method: undefined };
    const certificate = shown && method && { certificate: { method, x509: shown.x509 } };
    return clientMetadata(id, client, { placeholderSecret, keys, signed, ...certificate, bound: shown !== undefined });
  }

  const shownOn = (ctx: KoaContextWithOIDC | undefined): ShownCertificate | undefined =>
    ctx && options.shown.get(ctx.req);

  /** The principal of a client that proved who it is, as it stands now. */
  async function standingOf(client: Client): Promise<KnownPrincipal | undefined> {
    const found = await find(client.clientId);
    return found?.known && !suspension(found.known) ? found.known : undefined;
  }

  /** RFC 8628 section 3.5. Asked with the client known and before anything comes of it, so that a code is not used up by haste. */
  function pacedFind(find: Adapter['find']): Adapter['find'] {
    return async (id) => {
      const found = await find(id);
      const oidc = Provider.ctx?.oidc;
      const polls = found && oidc?.route === 'token' && oidc.client?.clientId === found.clientId;
      if (polls && !options.pace.allows(id)) throw new errors.SlowDown();
      return found;
    };
  }

  async function mayAsk(client: Client): Promise<boolean> {
    const roles = (await standingOf(client))?.roles ?? [];
    return client.clientAuthMethod !== 'none' && roles.some((role) => INTROSPECTING_ROLES.includes(role));
  }

  async function permittedScopes(ctx: KoaContextWithOIDC, client: Client): Promise<string> {
    const asked = scopesAsked(ctx);
    if (asked.length === 0) return '';
    const known = await standingOf(client);
    // Nobody may learn from a scope whether a device is registered; it is judged when the device is approved.
    if (!known && ctx.oidc.route === 'device_authorization') return asked.join(' ');
    if (!known) throw new errors.InvalidGrant('the client may not act');
    const { policy } = await options.loadPolicy(organisation);
    const refused = refusedScope(asked, known, policy, now());
    if (refused && ctx.oidc.route !== 'device_authorization') {
      throw new errors.InvalidScope(refused.why, refused.scope);
    }
    return asked.join(' ');
  }

  const proofIn = (ctx: KoaContextWithOIDC) => shownOn(ctx)?.proofOf(ctx.oidc.client?.clientId ?? '');

  const lifetime = seconds(terms.accessTokenLifetime);
  const configuration: Configuration = {
    adapter: (model) => {
      const adapter = state.adapter(organisation, model);
      if (model === 'Client') return { ...adapter, find: metadataOf };
      if (model === 'DeviceCode') adapter.find = pacedFind(adapter.find);
      const consume = (id: string) =>
        adapter.consume(id).catch((cause: unknown) => {
          throw cause instanceof AlreadyConsumed ? new errors.InvalidGrant('it was used already') : cause;
        });
      const revokeByGrantId = async (grantId: string) => {
        await adapter.revokeByGrantId(grantId);
        if (terms.accessTokens === 'jwt' && model === 'AccessToken')
          await options.revokeApproval(approvalName(grantId));
      };
      return { ...adapter, consume, revokeByGrantId };
    },
    jwks: { keys: ring.keys.map(({ jwk }) => jwk as never) },
    clientAuthMethods: [
      'client_secret_basic',
      'client_secret_post',
      'private_key_jwt',
      'tls_client_auth',
      'self_signed_tls_client_auth',
      'none',
    ],
    clientDefaults: { id_token_signed_response_alg: SIGNING_ALGORITHM },
    enabledJWA: { clientAuthSigningAlgValues: [...CLIENT_ALGORITHMS] },
    scopes: [],
    responseTypes: ['code'],
    clockTolerance: 5,
    cookies: { keys: [placeholderSecret] },
    ttl: {
      AccessToken: lifetime,
      ClientCredentials: lifetime,
      DeviceCode: seconds(terms.deviceCodeLifetime),
      Grant: seconds(terms.refreshTokenLifetime),
      RefreshToken: seconds(terms.refreshTokenLifetime),
      IdToken: lifetime,
      Interaction: 60,
      Session: 60,
    },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      deviceFlow: {
        enabled: true,
        charset: 'base-20',
        mask: '****-****',
        deviceInfo: (ctx) => ({ address: ctx.ip, at: now() }),
      },
      dPoP: { enabled: false },
      introspection: {
        enabled: true,
        allowedPolicy: async (_ctx, client, token) => client.clientId === token.clientId || mayAsk(client),
      },
      mTLS: {
        enabled: true,
        certificateBoundAccessTokens: true,
        tlsClientAuth: true,
        selfSignedTlsClientAuth: true,
        getCertificate: (ctx) => shownOn(ctx)?.x509,
        certificateAuthorized: (ctx) => proofIn(ctx)?.accepted === true,
        certificateSubjectMatches: (ctx) => proofIn(ctx)?.accepted === true,
      },
      pushedAuthorizationRequests: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => audience,
        useGrantedResource: () => true,
        getResourceServerInfo: async (ctx, resource, client) => {
          if (resource !== audience) throw new errors.InvalidTarget(`the only resource is ${audience}`);
          return {
            scope: await permittedScopes(ctx, client),
            audience,
            accessTokenFormat: terms.accessTokens,
            accessTokenTTL: lifetime,
            jwt: { sign: { alg: SIGNING_ALGORITHM, kid: ring.active.kid } },
          };
        },
      },
      revocation: {
        enabled: true,
        allowedPolicy: async (_ctx, client, token) => {
          if (client.clientId === token.clientId) return true;
          // Who need not prove anything learns nothing either.
          if (client.clientAuthMethod === 'none') return false;
          // RFC 7009 section 2.1: who shows a token of another client is refused and told so.
          throw new errors.InvalidRequest('the token was issued to another client');
        },
      },
      rpInitiatedLogout: { enabled: false },
      userinfo: { enabled: false },
    },
    findAccount: async (_ctx, subject) => {
      const known = await options.findPrincipal(subject);
      if (!known || suspension(known)) return undefined;
      return { accountId: subject, claims: () => ({ sub: subject }) };
    },
    extraTokenClaims: async (_ctx, token) => {
      const client = token.clientId === undefined ? undefined : await find(token.clientId);
      return client ? { sub: subjectOf(client.principal) } : undefined;
    },
    formats: {
      customizers: {
        jwt: async (_ctx, token, parts) => {
          const client = token.clientId === undefined ? undefined : await find(token.clientId);
          if (client) parts.payload.sub = subjectOf(client.principal);
          const { grantId } = token as { readonly grantId?: string };
          if (grantId !== undefined) parts.payload[APPROVAL_CLAIM] = approvalName(grantId);
        },
      },
    },
    issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: true,
    expiresWithSession: async () => false,
  };

  const provider = new Provider(issuer, configuration);
  // It would write what goes wrong to standard error; we listen to its events instead.
  provider.silent = true;
  provider.use(async (ctx, next) => {
    await next();
    const { body } = ctx;
    // RFC 8628 section 3.2.
    if (isObject(body) && 'user_code' in body)
      Object.assign(body, { interval: Math.ceil(terms.deviceInterval / 1000) });
  });
  answerStructuredTokens(provider, { ...options, ...options.signed, mayAsk });
  provider.Client.prototype.compareClientSecret = async function compare(this: Client, secret: string) {
    const client = await find(this.clientId);
    if (!client?.known) {
      judgeNobody(Buffer.from(secret), tokens);
      return false;
    }
    return judgeToken(client.known, Buffer.from(secret), tokens, now()).outcome === 'accepted';
  };
  return provider;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** Neither secret nor signature: then it is the certificate that is to prove the client. */
function provesNothingElse({ headers, oidc: { params } }: KoaContextWithOIDC): boolean {
  const { client_secret: secret, client_assertion: assertion } = params ?? {};
  return headers.authorization === undefined && secret === undefined && assertion === undefined;
}

function scopesAsked(ctx: KoaContextWithOIDC): readonly string[] {
  const { params, entities } = ctx.oidc;
  // RFC 6749 section 6: what a device asks for when it renews was granted before.
  const source = entities.RefreshToken?.scope ?? entities.DeviceCode?.scope;
  const text = typeof params?.scope === 'string' ? params.scope : (source ?? '');
  return text.split(' ').filter((scope) => scope !== '');
}
