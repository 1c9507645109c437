import { Failure } from '@sallyport/model';
import { accessTokenProof, type FetchAccessToken } from './access-token-proof.ts';
import type { ChangingCertificate } from './certificate-files.ts';
import type { ClientCredentials } from './client-credentials.ts';
import type { ClientCertificate, LinkCredential } from './link-options.ts';
import { type ScramMechanism, scramProof } from './scram-proof.ts';

/** What a device or gateway proves itself with: a token, a user name and password, an access token, a certificate, or a certificate and one of the others. */
export interface DeviceCredential {
  /** Of the device. */
  readonly token?: string;
  readonly username?: string;
  readonly password?: string;
  /** Proves the password without sending it, and has the server prove that it knows it; MQTT 5 only. */
  readonly scram?: ScramMechanism;
  /** Where access tokens come from: a function of yours, or settings of a client of an authorization server. Renewed ahead of their end. */
  readonly accessToken?: FetchAccessToken | ClientCredentials;
  readonly certificate?: ClientCertificate | ChangingCertificate;
}

/**
 * What CONNECT carries of a credential.
 *
 * @throws Failure `invalid_request` if there is none, or it cannot be told what is meant
 */
export function deviceCredential(
  clientId: string,
  credential: DeviceCredential & { readonly protocolVersion?: 4 | 5 },
): LinkCredential {
  const { token, username, password, certificate, scram, accessToken, protocolVersion } = credential;
  const named = username !== undefined || password !== undefined;
  if ([token !== undefined, named, accessToken !== undefined].filter(Boolean).length > 1) {
    throw new Failure(
      'invalid_request',
      'More than one of token, access token, and user name with password was given.',
      {
        cure: 'Give the one that the device was registered with.',
      },
    );
  }
  if (accessToken !== undefined) return { clientId, proof: tokenProof(accessToken, protocolVersion) };
  if (token !== undefined) return { clientId, username: 'use-token-auth', password: token };
  if (username !== undefined && password !== undefined) {
    return scram === undefined ? { clientId, username, password } : scramCredential(clientId, credential);
  }
  if (certificate !== undefined && !named) return { clientId };
  throw new Failure('invalid_request', 'The device has nothing to prove itself with.', {
    cure: 'Give token, or username and password, or accessToken, or certificate.',
  });
}

/** The proof of a client that gets access tokens. */
function tokenProof(accessToken: FetchAccessToken | ClientCredentials, protocolVersion: 4 | 5 = 5) {
  if (typeof accessToken === 'function') return accessTokenProof(accessToken, protocolVersion);
  let fetchToken: FetchAccessToken | undefined;
  return accessTokenProof(async (signal) => {
    // Loaded on demand: a page in a browser has no business with such a secret.
    const { clientCredentials } = await import('./client-credentials.ts');
    fetchToken ??= clientCredentials(accessToken);
    return fetchToken(signal);
  }, protocolVersion);
}

function scramCredential(
  clientId: string,
  {
    username = '',
    password = '',
    scram = 'SCRAM-SHA-256',
    protocolVersion = 5,
  }: DeviceCredential & { readonly protocolVersion?: 4 | 5 },
): LinkCredential {
  if (protocolVersion === 4) {
    throw new Failure('invalid_request', 'SCRAM needs MQTT 5.', { cure: 'Leave protocolVersion out.' });
  }
  return { clientId, proof: scramProof(scram, username, password) };
}
