import type { IncomingMessage, ServerResponse } from 'node:http';
import { Failure, principalName, REASONS, type RefusalReason, type TraceStep } from '@sallyport/model';
import type { errors, KoaContextWithOIDC, Provider } from 'oidc-provider';
import type { Authenticator } from '../authentication/authenticator.ts';
import type { TokenNames } from '../authentication/known-issuer.ts';
import type { Find, TokenMatcher } from '../authentication/known-principal.ts';
import type { PolicyInForce } from '../authorization/policy-store.ts';
import type { Refuse } from '../authorization/session-rights.ts';
import type { ServerEvent } from '../events/events.ts';
import type { TransportFacts } from '../events/transport-facts.ts';
import type { ClientKey } from '../registry/records.ts';
import { noteCertificate, type ShownCertificates } from './client-certificate.ts';
import {
  type DeviceApprovalOptions,
  type DeviceRequest,
  decideDeviceRequest,
  findDeviceRequest,
} from './device-approval.ts';
import { type ClientPrincipal, findOauthClient, subjectOf } from './oauth-clients.ts';
import { type OauthProviderOptions, type OauthTerms, oauthProvider } from './oauth-provider.ts';
import { OauthState } from './oauth-state.ts';
import { readOwnToken, tokenNames } from './own-tokens.ts';
import type { OwnerProofs } from './owner-proofs.ts';
import { PollingPace } from './polling-pace.ts';
import { type Revocation, type RevokedName, RevokedTokens } from './revoked-tokens.ts';
import { type KeyRing, SigningKeys, type SigningKeysOptions } from './signing-keys.ts';

export interface AuthorizationServerOptions extends SigningKeysOptions {
  /** Organisations that have one. */
  readonly organisations: readonly string[];
  readonly terms: OauthTerms;
  readonly maximumPendingDevices: number;
  readonly maximumRows: number;
  /** Of the server, for example `https://iot.example.com`; asked when it is open. */
  readonly baseUrl: () => string;
  /** Of the listener that asks clients for a certificate; undefined if there is none. */
  readonly certificateUrl: () => string | undefined;
  /** Judges the certificates that clients show there. */
  readonly certificates: Authenticator;
  readonly organisationExists: (id: string) => boolean | Promise<boolean>;
  readonly findPrincipal: Find;
  readonly findByKey: Find;
  readonly clientKeys: (name: { organisation: string; application: string }) => Promise<readonly ClientKey[]>;
  readonly tokens: TokenMatcher & { hash(text: string): Uint8Array };
  readonly ownerProofs?: OwnerProofs | undefined;
  readonly loadPolicy: (organisation: string) => PolicyInForce | Promise<PolicyInForce>;
  readonly refuse: Refuse;
  readonly emit: (event: ServerEvent) => void;
}

interface Realm {
  readonly provider: Provider;
  readonly ring: KeyRing;
  readonly answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
}

/** Where the authorization server of an organisation lives below the address of the server. */
export const OAUTH_PREFIX = '/oauth';
/** Endpoints that oidc-provider answers; no other of its paths is reached. */
const ENDPOINTS: Readonly<Record<string, 'GET' | 'POST'>> = {
  '/jwks': 'GET',
  '/token': 'POST',
  '/token/introspection': 'POST',
  '/token/revocation': 'POST',
  '/device/auth': 'POST',
};
const KEYS_LOOKED_AT = 60_000;
/** Device codes of which it is known when their devices asked last. */
const MOST_PACES = 100_000;
/** Clocks differ: for so long after its end a revoked token is still remembered. */
const AFTER_THE_END = 60_000;

/** The embedded authorization servers: one issuer for each organisation that has it switched on. */
export class AuthorizationServer {
  readonly #options: AuthorizationServerOptions;
  readonly #keys: SigningKeys;
  readonly #state: OauthState;
  readonly #revoked: RevokedTokens;
  readonly #pace: PollingPace;
  readonly #shown: ShownCertificates = new WeakMap();
  /** When all keys of an organisation were withdrawn last. */
  readonly #withdrawn = new Map<string, number>();
  readonly #realms = new Map<
    string,
    { readonly issuer: string; readonly realm: Promise<Realm>; readonly madeAt: number }
  >();

  constructor(options: AuthorizationServerOptions) {
    const { database, now, maximumRows, tokens } = options;
    this.#options = options;
    this.#keys = new SigningKeys(options);
    this.#pace = new PollingPace({ interval: options.terms.deviceInterval, most: MOST_PACES, now });
    this.#revoked = new RevokedTokens({ database, now, maximumRows });
    this.#state = new OauthState({
      database,
      now,
      maximumRows,
      hash: (text) => tokens.hash(text),
      onRevoked: (organisation, principal) => {
        const whose = principal === undefined ? {} : { principal };
        options.emit({ type: 'token.revoked', organisation, by: principal ?? 'system', what: 'token', ...whose });
      },
    });
  }

  /** Whether an organisation has one: it is named in the configuration, and exists. */
  async serves(organisation: string): Promise<boolean> {
    return this.#options.organisations.includes(organisation) && (await this.#options.organisationExists(organisation));
  }

  issuerOf(organisation: string): string {
    return `${this.#options.baseUrl()}${OAUTH_PREFIX}/${organisation}`;
  }

  /** Where clients prove themselves by certificate; undefined if there is no listener for them. */
  certificateAddressOf(organisation: string): string | undefined {
    const url = this.#options.certificateUrl();
    return url === undefined ? undefined : `${url}${OAUTH_PREFIX}/${organisation}`;
  }

  /** What a token must say of whom it is for. */
  audienceOf(organisation: string): string {
    return `sallyport:${organisation}`;
  }

  /** The public part of every key that may have signed a token that is still valid. */
  async publicKeys(organisation: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const { keys } = (await this.#realm(organisation)).ring;
    return keys.map(({ jwk: { d: _, ...jwk } }) => jwk);
  }

  /** Organisations that have one, with what tells tokens of now from those of withdrawn keys. */
  async served(): Promise<readonly { readonly organisation: string; readonly generation: number }[]> {
    const { organisations } = this.#options;
    const serving = await Promise.all(organisations.map((organisation) => this.serves(organisation)));
    return organisations.flatMap((organisation, index) =>
      serving[index] ? [{ organisation, generation: this.#withdrawn.get(organisation) ?? 1 }] : [],
    );
  }

  /** The terms under which tokens are issued. */
  get terms(): OauthTerms {
    return this.#options.terms;
  }

  /** What the server itself says of an opaque token (RFC 7662), for its own first door. */
  async introspect(organisation: string, token: string): Promise<Readonly<Record<string, unknown>>> {
    const { provider } = await this.#realm(organisation);
    const found = (await provider.ClientCredentials.find(token)) ?? (await provider.AccessToken.find(token));
    if (!found?.isValid) return { active: false };
    const { clientId, exp, iat, aud, scope, extra } = found;
    const said = {
      ...extra,
      active: true,
      iss: this.issuerOf(organisation),
      client_id: clientId,
      exp,
      iat,
      aud,
      scope,
    };
    const thumbprint = found['x5t#S256'];
    return thumbprint === undefined ? said : { ...said, cnf: { 'x5t#S256': thumbprint } };
  }

  keyRing(organisation: string): Promise<KeyRing> {
    return this.#keys.ring(organisation);
  }

  /** A new key signs after the overlap; with `atOnce` immediately, and every token that was signed before is worthless. */
  async rotateKeys(
    organisation: string,
    { atOnce, by }: { readonly atOnce: boolean; readonly by: string },
  ): Promise<KeyRing> {
    const ring = await (atOnce ? this.#keys.replace(organisation) : this.#keys.rotate(organisation));
    this.#realms.delete(organisation);
    if (atOnce) this.#withdrawn.set(organisation, this.#options.now());
    this.#options.emit({ type: 'signing-keys.rotated', organisation, by, atOnce, kid: ring.keys[0]?.kid ?? '' });
    return ring;
  }

  /** The method that an endpoint knows; undefined if there is no such endpoint. */
  methodOf(path: string): 'GET' | 'POST' | undefined {
    return Object.hasOwn(ENDPOINTS, path) ? ENDPOINTS[path] : undefined;
  }

  /** Whether another device may begin: those that nobody has decided about are bounded. */
  async admitsDevices(organisation: string): Promise<boolean> {
    return (await this.#state.count(organisation, 'DeviceCode')) < this.#options.maximumPendingDevices;
  }

  /** Answers a request to one of the endpoints, read from the socket. `transport`: of a listener that asks for certificates. */
  async answer(
    organisation: string,
    path: string,
    request: IncomingMessage,
    response: ServerResponse,
    transport?: TransportFacts,
  ): Promise<void> {
    const { answer } = await this.#realm(organisation);
    noteCertificate(this.#shown, request, transport);
    const issuer = new URL(this.issuerOf(organisation));
    Object.assign(request, { originalUrl: `${issuer.pathname}${path}` });
    request.url = path;
    // Addresses in answers, and the audience that signed clients name, come from the configuration and not from the client.
    request.headers.host = issuer.host;
    request.headers.accept = 'application/json';
    await answer(request, response);
  }

  async findDeviceRequest(organisation: string, userCode: string): Promise<DeviceRequest> {
    return findDeviceRequest(userCode, await this.#approvals(organisation));
  }

  /** How owners who are no operators prove who they are; undefined where they may not approve devices. */
  get ownerProofs(): OwnerProofs | undefined {
    return this.#options.ownerProofs;
  }

  /** `by` is the written form of the operator or owner. */
  async decideDeviceRequest(
    organisation: string,
    { userCode, approved, by }: { readonly userCode: string; readonly approved: boolean; readonly by: string },
  ): Promise<DeviceRequest> {
    const request = await decideDeviceRequest(userCode, approved, await this.#approvals(organisation));
    const { principal, address, scopes } = request;
    const type = approved ? 'device.approved' : 'device.denied';
    this.#options.emit({ type, organisation, principal, by, address, scopes });
    return request;
  }

  async sweep(): Promise<void> {
    await this.#state.sweep();
    await this.#revoked.sweep();
  }

  /** Signed tokens that do not count any more although they have not expired. */
  revocations(organisation: string): Promise<readonly Revocation[]> {
    return this.#revoked.list(organisation);
  }

  /** Answers under which revocation a signed token falls. */
  revocationFinder(organisation: string): Promise<(token: TokenNames) => Revocation | undefined> {
    return this.#revoked.finder(organisation);
  }

  /** Ends one signed token by its `jti`, whoever has it. */
  revokeToken(organisation: string, { jti, by }: { readonly jti: string; readonly by: string }): Promise<Revocation> {
    return this.#revoke(organisation, { kind: 'token', name: jti }, { by });
  }

  /** Ends everything that was issued to a principal until now: access tokens, refresh tokens, codes and approvals. */
  async revokeAll(principal: ClientPrincipal, by: string): Promise<Revocation> {
    const name = principalName(principal);
    await this.#state.forget(name);
    const named = { kind: 'principal', name: subjectOf(principal) } as const;
    return this.#revoke(principal.organisation, named, { by, principal: name });
  }

  async #revoke(
    organisation: string,
    named: RevokedName,
    { by, principal, exp }: { readonly by: string; readonly principal?: string; readonly exp?: number },
    own = false,
  ): Promise<Revocation> {
    const { now, terms, emit } = this.#options;
    const endsAt = (exp === undefined ? now() + terms.accessTokenLifetime : exp * 1000) + AFTER_THE_END;
    const revocation = await this.#revoked.add(organisation, { ...named, revokedBy: by, endsAt }, own);
    const whose = principal === undefined ? {} : { principal };
    const which = named.kind === 'token' ? { jti: named.name } : {};
    emit({ type: 'token.revoked', organisation, by, what: named.kind, ...whose, ...which });
    return revocation;
  }

  async #approvals(organisation: string): Promise<DeviceApprovalOptions> {
    const { provider } = await this.#realm(organisation);
    return { ...this.#options, organisation, provider, audience: this.audienceOf(organisation) };
  }

  /** Made anew when the keys have moved on. */
  #realm(organisation: string): Promise<Realm> {
    const { now } = this.#options;
    const issuer = this.issuerOf(organisation);
    const known = this.#realms.get(organisation);
    // The port of the address may not have been known yet.
    const before = known?.issuer === issuer ? known : undefined;
    if (before && now() - before.madeAt < KEYS_LOOKED_AT) return before.realm;
    const realm = this.#renew(organisation, before?.realm);
    this.#realms.set(organisation, { issuer, realm, madeAt: now() });
    realm.catch(() => this.#realms.delete(organisation));
    return realm;
  }

  async #renew(organisation: string, before: Promise<Realm> | undefined): Promise<Realm> {
    if (!(await this.serves(organisation))) throw new Failure('not_found', 'There is no authorization server here.');
    const ring = await this.#keys.ring(organisation);
    const known = await before;
    return known && namesOf(known.ring) === namesOf(ring) ? known : this.#open(organisation, ring);
  }

  async #open(organisation: string, ring: KeyRing): Promise<Realm> {
    const options = this.#options;
    const provider = await oauthProvider({
      ...options,
      organisation,
      issuer: this.issuerOf(organisation),
      audience: this.audienceOf(organisation),
      ring,
      state: this.#state,
      pace: this.#pace,
      shown: this.#shown,
      signed: this.#signed(organisation, ring),
      revokeApproval: async (name) => {
        await this.#revoke(organisation, { kind: 'approval', name }, { by: 'system' });
      },
      clientKeys: (application) => options.clientKeys({ organisation, application }),
    });
    this.#tell(organisation, provider);
    return { provider, ring, answer: provider.callback() as Realm['answer'] };
  }

  #signed(organisation: string, ring: KeyRing): OauthProviderOptions['signed'] {
    const { now } = this.#options;
    const own = { ring, issuer: this.issuerOf(organisation), audience: this.audienceOf(organisation) };
    return {
      read: (token) => readOwnToken(token, { ...own, now: now() }),
      revoked: async ({ claims }) => (await this.revocationFinder(organisation))(tokenNames(claims)) !== undefined,
      revoke: async ({ jti, exp }, by) => {
        await this.#revoke(organisation, { kind: 'token', name: jti }, { by, exp, principal: by }, true);
      },
      refused: (ctx, text) => this.#refuse(organisation, ctx, { reason: 'oauth_request_invalid', text }),
    };
  }

  #tell(organisation: string, provider: Provider): void {
    const { emit, findPrincipal, findByKey } = this.#options;
    const refused = (ctx: KoaContextWithOIDC, error: errors.OIDCProviderError) =>
      this.#refused(organisation, ctx, error);
    provider.on('grant.error', refused);
    provider.on('device_authorization.error', refused);
    provider.on('introspection.error', refused);
    provider.on('revocation.error', refused);
    provider.on('server_error', (ctx, error) => {
      emit({ type: 'defect', where: `authorization server, ${ctx.path}`, problem: `${error.name}: ${error.message}` });
    });
    provider.on('grant.success', (ctx) => {
      const { client, params } = ctx.oidc;
      const token = ctx.oidc.entities.AccessToken ?? ctx.oidc.entities.ClientCredentials;
      if (!client) return;
      void findOauthClient(client.clientId, { organisation, findPrincipal, findByKey }).then((found) => {
        if (!found) return;
        emit({
          type: 'token.issued',
          organisation,
          principal: principalName(found.principal),
          grant: String(params?.grant_type),
          address: ctx.ip,
          scopes: (token?.scope ?? '').split(' ').filter((scope) => scope !== ''),
        });
      });
    });
  }

  #refused(organisation: string, ctx: KoaContextWithOIDC, error: errors.OIDCProviderError): void {
    // RFC 8628 section 3.5: a device that waits asks again and again.
    if (error.error === 'authorization_pending' || error.error === 'slow_down') return;
    // Signed tokens are answered by us.
    if (error.error === 'unsupported_token_type') return;
    const detail =
      (error as { readonly error_detail?: string }).error_detail ?? error.error_description ?? error.message;
    const certificate = this.#shown.get(ctx.req)?.proofOf(String(ctx.oidc.params?.client_id));
    const unproven = error.error === 'invalid_client' && certificate?.accepted === false;
    const reason = unproven ? 'oauth_certificate_rejected' : reasonOf(error.error);
    const text = `The authorization server answered ${error.error}: ${detail}.`;
    this.#refuse(organisation, ctx, { reason, text, ...(unproven ? { before: certificate.verdict.step } : {}) });
  }

  #refuse(
    organisation: string,
    ctx: KoaContextWithOIDC,
    { reason, text, before }: { readonly reason: RefusalReason; readonly text: string; readonly before?: TraceStep },
  ): void {
    const { stage, reasonCode, cure } = REASONS[reason];
    const clientId = ctx.oidc.params?.client_id;
    const refusal = this.#options.refuse({
      action: 'manage',
      reason,
      reasonCode,
      organisation,
      ...(typeof clientId === 'string' ? { clientId: clientId.slice(0, 256) } : {}),
      address: ctx.ip,
      listener: this.#shown.has(ctx.req) ? 'enrolment' : 'https',
      resource: `${OAUTH_PREFIX}/${organisation}${ctx.path}`,
      steps: [...(before ? [before] : []), { stage, outcome: 'failed', text }],
      cure,
    });
    this.#options.emit({ type: 'request.refused', refusal });
  }
}

function reasonOf(error: string): RefusalReason {
  if (error === 'invalid_client') return 'oauth_client_rejected';
  if (error === 'invalid_scope') return 'oauth_scope_not_permitted';
  if (['invalid_grant', 'expired_token', 'access_denied'].includes(error)) return 'oauth_grant_rejected';
  return 'oauth_request_invalid';
}

function namesOf({ keys, active }: KeyRing): string {
  return [active, ...keys].map(({ kid }) => kid).join();
}
