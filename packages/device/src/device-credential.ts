import { Failure } from '@sallyport/model';
import type { ClientCertificate, LinkCredential } from './link-options.ts';

/** What a device or gateway proves itself with: a token, a user name and password, a certificate, or a certificate and one of the others. */
export interface DeviceCredential {
  /** Of the device; also an access token. */
  readonly token?: string;
  readonly username?: string;
  readonly password?: string;
  readonly certificate?: ClientCertificate;
}

/**
 * What CONNECT carries of a credential.
 *
 * @throws Failure `invalid_request` if there is none, or it cannot be told what is meant
 */
export function deviceCredential(
  clientId: string,
  { token, username, password, certificate }: DeviceCredential,
): LinkCredential {
  if (token !== undefined && (username !== undefined || password !== undefined)) {
    throw new Failure('invalid_request', 'A token was given, and a user name or password.', {
      cure: 'Give the one that the device was registered with.',
    });
  }
  if (token !== undefined) return { clientId, username: 'use-token-auth', password: token };
  if (username !== undefined && password !== undefined) return { clientId, username, password };
  if (certificate !== undefined && username === undefined && password === undefined) return { clientId };
  throw new Failure('invalid_request', 'The device has nothing to prove itself with.', {
    cure: 'Give token, or username and password, or certificate.',
  });
}
