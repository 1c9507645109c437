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

/** The method that an endpoint knows; undefined if there is no such endpoint. */
export function methodOf(path: string): 'GET' | 'POST' | undefined {
  return Object.hasOwn(ENDPOINTS, path) ? ENDPOINTS[path] : undefined;
}
