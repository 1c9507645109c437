import { Failure } from '@sallyport/model';
import type { IClientOptions } from 'mqtt';
import type { ClientCertificate } from './link-options.ts';
import { engineFailure, engineSettings } from './pkcs11-key.ts';

/**
 * What TLS is told of a client certificate. It is tried before a connection is begun: what does not fit together would be told only by a
 * handshake that fails, and a token counts wrong PINs.
 *
 * @throws Failure `key_material_invalid`, `invalid_request`
 */
export async function certificateSettings(certificate: ClientCertificate): Promise<IClientOptions> {
  const { createSecureContext } = await nodeTls();
  const settings = await presented(certificate);
  try {
    createSecureContext(settings);
  } catch (cause) {
    if ('pkcs11' in certificate) throw engineFailure(cause);
    const what = 'pkcs12' in certificate ? 'The PKCS#12 file' : 'Certificate and key';
    throw new Failure('key_material_invalid', `${what} cannot be used: ${wordsOf(cause)}.`, {
      cause,
      cure: 'Give a certificate with the key that belongs to it, and the passphrase if the key has one.',
    });
  }
  // The library hands these on to TLS, and its types know only some of them.
  return settings as IClientOptions;
}

async function presented(certificate: ClientCertificate) {
  if ('pkcs11' in certificate) return { cert: certificate.cert, ...(await engineSettings(certificate.pkcs11)) };
  const passphrase = certificate.passphrase === undefined ? {} : { passphrase: certificate.passphrase };
  if ('pkcs12' in certificate) return { pfx: Buffer.from(certificate.pkcs12), ...passphrase };
  return { cert: certificate.cert, key: certificate.key, ...passphrase };
}

async function nodeTls() {
  try {
    // Loaded on demand: a browser has no TLS that a page could tell anything.
    const { createSecureContext } = await import('node:tls');
    if (typeof createSecureContext === 'function') return { createSecureContext };
  } catch {
    // A browser.
  }
  throw new Failure('invalid_request', 'A page in a browser cannot choose a client certificate.', {
    cure: 'Leave certificate out: the browser shows the one that its user has installed.',
  });
}

/** The words of OpenSSL without its numbers. */
function wordsOf(cause: unknown): string {
  const { reason, message } = cause as { readonly reason?: string; readonly message: string };
  return reason ?? message.replace(/\.$/, '');
}
