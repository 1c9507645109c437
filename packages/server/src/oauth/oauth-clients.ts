import { type Principal, parseApplicationId, parseClientId, principalName } from '@sallyport/model';
import type { Find, KnownPrincipal } from '../authentication/known-principal.ts';
import type { ClientKey } from '../registry/records.ts';

export type ClientPrincipal = Exclude<Principal, { readonly kind: 'operator' }>;

/** Who stands behind a `client_id`. `known` is absent for a device or gateway that is not registered, or not in this organisation. */
export interface OauthClient {
  readonly principal: ClientPrincipal;
  readonly known?: KnownPrincipal;
}

/**
 * Whom a token is about, in its claim `sub`: `application:desk`, `device:pump/pump-7`. The organisation is not in it, it is that of the
 * issuer; so issuers of others can name principals in the same form.
 */
export function subjectOf(principal: ClientPrincipal): string {
  const { kind, id } = principal;
  return principal.kind === 'application' ? `${kind}:${id}` : `${kind}:${principal.type}/${id}`;
}

export interface OauthClientsOptions {
  readonly organisation: string;
  readonly findPrincipal: Find;
  readonly findByKey: Find;
}

/**
 * Finds who a `client_id` names within an organisation: the key or id of an application, or the MQTT client id of a device or gateway
 * (`d:ORGANISATION:TYPE:ID`). A device is answered for whether it is registered or not, so that nobody learns here which exist.
 */
export async function findOauthClient(
  id: string,
  { organisation, findPrincipal, findByKey }: OauthClientsOptions,
): Promise<OauthClient | undefined> {
  const clientId = parseClientId(id);
  if (clientId.ok && (clientId.value.kind === 'device' || clientId.value.kind === 'gateway')) {
    const { kind, organisation: named, type, id: thing } = clientId.value;
    if (named !== organisation) return undefined;
    const principal = { kind, organisation, type, id: thing } as const;
    const known = await findPrincipal(principalName(principal));
    return known ? { principal, known } : { principal };
  }
  const known = id.startsWith('a-')
    ? await findByKey(id)
    : parseApplicationId(id).ok
      ? await findPrincipal(principalName({ kind: 'application', organisation, id }))
      : undefined;
  if (known?.principal.kind !== 'application' || known.principal.organisation !== organisation) return undefined;
  return { principal: known.principal, known };
}

/** Never compared with: the secret of an application is one of its tokens, which are kept as hashes. */
export interface ClientMetadataOptions {
  readonly placeholderSecret: string;
  readonly keys: readonly ClientKey[];
  /** Whether the request proves the client by a signature. */
  readonly signed: boolean;
}

export const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';

/** What oidc-provider is told of a client (RFC 7591 section 2). */
export function clientMetadata(id: string, { principal }: OauthClient, options: ClientMetadataOptions) {
  const same = { client_id: id, redirect_uris: [], response_types: [] };
  if (principal.kind !== 'application') {
    return { ...same, grant_types: [DEVICE_GRANT, 'refresh_token'], token_endpoint_auth_method: 'none' as const };
  }
  const grants = { ...same, grant_types: ['client_credentials'] };
  if (options.signed) {
    const keys = options.keys.map(({ jwk }) => ({ ...jwk, use: 'sig' }));
    return { ...grants, token_endpoint_auth_method: 'private_key_jwt' as const, jwks: { keys } };
  }
  return {
    ...grants,
    token_endpoint_auth_method: 'client_secret_basic' as const,
    client_secret: options.placeholderSecret,
  };
}
