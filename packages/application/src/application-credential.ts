import { type DeviceCredential, deviceCredential, type LinkCredential } from '@sallyport/device';
import { Failure } from '@sallyport/model';

/** What an application proves itself with: its key and token, a user name and password, an access token, or a certificate. */
export interface ApplicationCredential extends DeviceCredential {
  /** API key, `a-ORGANISATION-…`; goes with `token`. */
  readonly key?: string;
  readonly token?: string;
}

/**
 * What CONNECT carries of a credential of an application.
 *
 * @throws Failure `invalid_request` if there is none, or it cannot be told what is meant
 */
export function applicationCredential(
  clientId: string,
  { key, token, ...others }: ApplicationCredential & { readonly protocolVersion?: 4 | 5 },
): LinkCredential {
  if (key === undefined && token === undefined) return deviceCredential(clientId, others);
  if (key === undefined || token === undefined || others.username !== undefined || others.accessToken !== undefined) {
    throw new Failure('invalid_request', 'It cannot be told what the application is to prove itself with.', {
      cure: 'Give key and token, or username and password, or accessToken, or certificate.',
    });
  }
  return { clientId, username: key, password: token };
}
