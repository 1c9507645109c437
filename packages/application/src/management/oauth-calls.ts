import type {
  AuthorizationServerDocument,
  ClientKeyDocument,
  DeviceRequestDocument,
  Page,
  RevokedTokenDocument,
} from '@sallyport/model';
import type { Caller } from './caller.ts';
import type { ApplicationName } from './requests.ts';

/** The embedded authorization server of an organisation. */
export function oauthCalls(caller: Caller) {
  const keys = ({ organisation, id }: ApplicationName) => ['organisations', organisation, 'applications', id, 'keys'];
  const waiting = (organisation: string, userCode: string) => [
    'organisations',
    organisation,
    'device-requests',
    userCode,
  ];
  const revoked = (organisation: string) => ['organisations', organisation, 'authorization-server', 'revoked-tokens'];
  return {
    get: (organisation: string) =>
      caller.json<AuthorizationServerDocument>('GET', ['organisations', organisation, 'authorization-server']),
    /** With `atOnce` every token that was signed before is worthless. */
    rotateKeys: (organisation: string, body: { readonly atOnce?: boolean } = {}) =>
      caller.json<AuthorizationServerDocument>(
        'POST',
        ['organisations', organisation, 'authorization-server', 'keys'],
        {
          body,
        },
      ),
    clientKeys: (application: ApplicationName) => caller.json<Page<ClientKeyDocument>>('GET', keys(application)),
    /** PEM of a public key: P-256 or Ed25519. */
    addClientKey: (application: ApplicationName, publicKey: string) =>
      caller.json<ClientKeyDocument>('POST', keys(application), { body: { publicKey } }),
    removeClientKey: (application: ApplicationName, kid: string) =>
      caller.nothing('DELETE', [...keys(application), kid]),
    /** Signed access tokens that were revoked and have not expired. */
    revokedTokens: (organisation: string) => caller.json<Page<RevokedTokenDocument>>('GET', revoked(organisation)),
    /** Ends one signed access token, or everything that a principal was given; their sessions end at once. */
    revokeToken: (organisation: string, body: { readonly jti: string } | { readonly principal: string }) =>
      caller.json<RevokedTokenDocument>('POST', revoked(organisation), { body }),
    /** What the device that shows the code asks for. */
    deviceRequest: (organisation: string, userCode: string) =>
      caller.json<DeviceRequestDocument>('GET', waiting(organisation, userCode)),
    decide: (organisation: string, userCode: string, body: { readonly approve: boolean }) =>
      caller.json<DeviceRequestDocument>('POST', waiting(organisation, userCode), { body }),
  };
}
