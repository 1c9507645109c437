import type { IncomingMessage, ServerResponse } from 'node:http';
import { Failure, principalName } from '@sallyport/model';
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
import { OAUTH_PREFIX } from './endpoints.ts';
import { type ClientPrincipal, subjectOf } from './oauth-clients.ts';
import { type OauthProviderOptions, type OauthTerms, oauthProvider } from './oauth-provider.ts';
import { OauthState } from './oauth-state.ts';
import { type OutcomesOptions, refuseRequest, tellOutcomes } from './outcomes.ts';
import { readOwnToken, tokenNames } from './own-tokens.ts';
import type { OwnerProofs } from './owner-proofs.ts';
import { PollingPace } from './polling-pace.ts';
import { type Realm, Realms } from './realms.ts';
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
  readonly #realms: Realms;

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
    this.#realms = new Realms({
      issuerOf: (organisation) => this.issuerOf(organisation),
      ringOf: (organisation) => this.#ring(organisation),
      open: (organisation, ring) => this.#open(organisation, ring),
      now,
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
    const { keys } = (await this.#realms.of(organisation)).ring;
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

  /** What the server itself says of an opaque token (RFC 7662), for its own first door. Without `iss`: asked before it is open, it does not know its address. */
  async introspect(organisation: string, token: string): Promise<Readonly<Record<string, unknown>>> {
    const { provider } = await this.#realms.of(organisation);
    const found = (await provider.ClientCredentials.find(token)) ?? (await provider.AccessToken.find(token));
    if (!found?.isValid) return { active: false };
    const { clientId, exp, iat, aud, scope, extra } = found;
    const said = {
      ...extra,
      active: true,
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
    this.#realms.forget(organisation);
    if (atOnce) this.#withdrawn.set(organisation, this.#options.now());
    this.#options.emit({ type: 'signing-keys.rotated', organisation, by, atOnce, kid: ring.keys[0]?.kid ?? '' });
    return ring;
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
    const { answer } = await this.#realms.of(organisation);
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
    const { provider } = await this.#realms.of(organisation);
    return { ...this.#options, organisation, provider, audience: this.audienceOf(organisation) };
  }

  async #ring(organisation: string): Promise<KeyRing> {
    if (!(await this.serves(organisation))) throw new Failure('not_found', 'There is no authorization server here.');
    return this.#keys.ring(organisation);
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
    tellOutcomes(provider, this.#outcomes(organisation));
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
      refused: (ctx, text) =>
        refuseRequest(this.#outcomes(organisation), ctx, { reason: 'oauth_request_invalid', text }),
    };
  }

  #outcomes(organisation: string): OutcomesOptions {
    return { ...this.#options, organisation, shown: this.#shown };
  }
}
