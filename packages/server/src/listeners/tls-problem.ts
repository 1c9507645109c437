import type { HandshakeProblem } from './handshake-problem.ts';

/** What the TLS library's error of a handshake means. */
export function tlsProblem(error: NodeJS.ErrnoException): {
  readonly problem: HandshakeProblem;
  readonly detail: string;
} {
  const code = error.code ?? 'unknown';
  for (const [pattern, problem, detail] of MEANINGS) {
    if (pattern.test(code)) return { problem, detail: `${detail} (${code})` };
  }
  return { problem: 'handshake_malformed', detail: `The handshake broke off (${code})` };
}

/** Alerts are what the client said of us; the other errors are what we found in what it sent. */
const MEANINGS: readonly (readonly [RegExp, HandshakeProblem, string])[] = [
  [
    /^ERR_SSL_(UNSUPPORTED_PROTOCOL|VERSION_TOO_LOW|UNSUPPORTED_SSL_VERSION)$/,
    'tls_version_too_old',
    'The client offers no TLS version that is accepted',
  ],
  [/^ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION$/, 'tls_version_too_old', 'The client refused the TLS version'],
  [
    /^ERR_SSL_(NO_SHARED_CIPHER|NO_CIPHERS_SPECIFIED|NO_SUITABLE_(SIGNATURE_ALGORITHM|KEY_SHARE|GROUPS)|NO_SHARED_(GROUPS?|SIGNATURE_ALGORITHMS))$/,
    'no_shared_cipher',
    'The client offers no cipher suite, curve or signature algorithm that is accepted',
  ],
  [
    /^ERR_SSL_(WRONG_CURVE|UNSUPPORTED_ELLIPTIC_CURVE|UNKNOWN_CERTIFICATE_TYPE)$/,
    'certificate_invalid',
    'The key of the client certificate is of a kind or on a curve that is not accepted; take P-256, P-384, P-521, Ed25519, or RSA of 2048 bits or more',
  ],
  [
    /^ERR_SSL_NO_APPLICATION_PROTOCOL$/,
    'no_shared_application_protocol',
    'The client asked by ALPN for protocols without "mqtt"',
  ],
  [
    /^ERR_SSL_(TLSV1|SSLV3)_ALERT_(UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_(UNKNOWN|EXPIRED|REVOKED)|UNSUPPORTED_CERTIFICATE|ACCESS_DENIED)$/,
    'server_certificate_rejected',
    "The client rejected the server's certificate",
  ],
  [/^ERR_SSL_(WRONG_VERSION_NUMBER|HTTP_REQUEST|HTTPS_PROXY_REQUEST)$/, 'not_tls', 'The client did not speak TLS'],
  [/^ERR_TLS_HANDSHAKE_TIMEOUT$/, 'handshake_timeout', 'The client did not finish the handshake in time'],
  [/^(ECONNRESET|EPIPE)$/, 'handshake_abandoned', 'The client closed the connection within the handshake'],
];
