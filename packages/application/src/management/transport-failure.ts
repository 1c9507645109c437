import { Failure } from '@sallyport/model';

const FOREIGN_ROOT = 'its root certificate is not one that this client trusts';
const DISTRUST: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet; check the clock of this machine',
  CERT_REVOKED: 'its certificate is revoked',
  CERT_SIGNATURE_FAILURE: 'the signature of its certificate is wrong',
  CERT_UNTRUSTED: FOREIGN_ROOT,
  CERT_REJECTED: FOREIGN_ROOT,
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is signed by itself',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another host name',
  INVALID_CA: 'its issuer may not issue certificates',
  INVALID_PURPOSE: 'its certificate is not for servers',
  PATH_LENGTH_EXCEEDED: 'its chain is longer than its root allows',
  SELF_SIGNED_CERT_IN_CHAIN: FOREIGN_ROOT,
  UNABLE_TO_GET_ISSUER_CERT: FOREIGN_ROOT,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: FOREIGN_ROOT,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: FOREIGN_ROOT,
};

/** Names an error of the socket or of TLS in our own terms. `where` is `host:port`. */
export function transportFailure(cause: unknown, where: string): Failure {
  if (cause instanceof Failure) return cause;
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : '';
  const distrust = DISTRUST[code];
  if (distrust !== undefined) {
    const cure = 'Use a name of the server that is in its certificate, or have one issued that has this name.';
    return new Failure('server_not_trusted', `The server at ${where} is not trusted: ${distrust}.`, {
      cause,
      ...(code === 'ERR_TLS_CERT_ALTNAME_INVALID' && { cure }),
    });
  }
  if (code === 'EPROTO' || code.startsWith('ERR_SSL')) {
    return new Failure('server_unreachable', `What answers at ${where} does not speak TLS as this client does.`, {
      cause,
      cure: 'Check that the port is the HTTPS port of the server (8443 unless configured otherwise).',
    });
  }
  return new Failure('server_unreachable', `${why(code, where)}.`, { cause });
}

function why(code: string, where: string): string {
  if (code === 'ECONNREFUSED') return `Nothing listens at ${where}`;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `The host name of ${where} is not known`;
  if (code === 'ETIMEDOUT') return `No answer came from ${where} in time`;
  return `The connection to ${where} broke${code && ` (${code})`}`;
}
