import type { SecureContextOptions, TlsOptions } from 'node:tls';
import { createRevocationList, createRootAuthority, pemOf } from '@sallyport/trust';
import type { ServerCredentials } from '../authority/authority.ts';
import type { TlsVersion } from './listener-options.ts';

const LONG = 365 * 24 * 60 * 60_000;

/** Authenticated encryption with forward secrecy, nothing else (RFC 9325 section 4.2). P-256 keys first, RSA for imported certificates. */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

/**
 * A revocation list of an authority that signs nothing. With it, OpenSSL never calls a client's certificate good: we judge it ourselves, and
 * where OpenSSL has found it good, Node 24.21 and 26.8 lose what the client sent with it (nodejs/node issue 65579).
 */
const NO_VERDICT = await emptyList();

async function emptyList(): Promise<string> {
  const now = Date.now();
  const authority = await createRootAuthority({ commonName: 'nobody', now, validity: LONG });
  async function* revoked() {}
  const list = await createRevocationList({
    authority,
    number: 1,
    thisUpdate: now,
    nextUpdate: now + LONG,
    revoked: revoked(),
  });
  return pemOf('X509 CRL', list);
}

/** Keys, versions and suites: what a new set of credentials replaces on a running server. */
export function secureContextOptions(
  { key, cert, ca }: ServerCredentials,
  minVersion: TlsVersion,
): SecureContextOptions {
  return {
    key,
    cert,
    ca: typeof ca === 'string' ? ca : [...ca],
    crl: NO_VERDICT,
    minVersion,
    maxVersion: 'TLSv1.3',
    ciphers: CIPHERS,
    honorCipherOrder: true,
    sessionTimeout: 3600,
  };
}

/** The whole of a TLS server's options. */
export function tlsServerOptions(options: {
  readonly credentials: ServerCredentials;
  readonly minimumTlsVersion: TlsVersion;
  readonly requestCertificate: boolean;
  readonly handshakeTimeout: number;
}): TlsOptions {
  return {
    ...secureContextOptions(options.credentials, options.minimumTlsVersion),
    requestCert: options.requestCertificate,
    // The verdict goes into the facts, so that a refusal can be explained; a rejection here would be a reset without a word.
    rejectUnauthorized: false,
    ALPNProtocols: ['mqtt'],
    handshakeTimeout: options.handshakeTimeout,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: 60_000,
  };
}
