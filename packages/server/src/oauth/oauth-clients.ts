import type { X509Certificate } from 'node:crypto';
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

/** How a certificate proves a client (RFC 8705 section 2): by its authority and name, or by being on record itself. */
export type CertificateMethod = 'tls_client_auth' | 'self_signed_tls_client_auth';

/** What else there is to say of a client, by how it goes about to prove itself. */
export interface ClientMetadataOptions {
  /** Never compared with: the secret of an application is one of its tokens, which are kept as hashes. */
  readonly placeholderSecret: string;
  readonly keys: readonly ClientKey[];
  /** Whether the request proves the client by a signature. */
  readonly signed: boolean;
  /** Present if nothing but the certificate of the connection is to prove the client. */
  readonly certificate?: { readonly method: CertificateMethod; readonly x509: X509Certificate };
  /** Whether tokens are bound to the certificate of the connection: always, if there is one. */
  readonly bound: boolean;
}

export const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';

/** What oidc-provider is told of a client (RFC 7591 section 2, RFC 8705 sections 2 and 3.4). */
export function clientMetadata(id: string, { principal }: OauthClient, options: ClientMetadataOptions) {
  const { certificate, bound } = options;
  const same = {
    client_id: id,
    redirect_uris: [],
    response_types: [],
    tls_client_certificate_bound_access_tokens: bound,
  };
  // Who has a certificate needs no refresh token, which could be used without one.
  const grants = { ...same, grant_types: ['client_credentials'] };
  if (certificate) {
    const { method, x509 } = certificate;
    const named = { ...grants, token_endpoint_auth_method: method };
    if (method === 'tls_client_auth') return { ...named, tls_client_auth_subject_dn: principalName(principal) };
    const key = { ...x509.publicKey.export({ format: 'jwk' }), use: 'sig', x5c: [x509.raw.toString('base64')] };
    return { ...named, jwks: { keys: [key] } };
  }
  if (principal.kind !== 'application') {
    return { ...same, grant_types: [DEVICE_GRANT, 'refresh_token'], token_endpoint_auth_method: 'none' as const };
  }
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
