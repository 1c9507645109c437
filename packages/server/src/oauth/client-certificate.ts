import { X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { clientIdOf, parseClientId, principalName } from '@sallyport/model';
import type { Authenticator, Verdict } from '../authentication/authenticator.ts';
import type { TransportFacts } from '../events/transport-facts.ts';
import type { CertificateMethod, ClientPrincipal } from './oauth-clients.ts';

/** What a certificate proved of a client; `accepted` tells whether that is the client whom the request names. */
export interface CertificateProof {
  readonly method: CertificateMethod;
  readonly accepted: boolean;
  readonly verdict: Verdict;
}

/** The certificate of the connection on which a request came. Only that its holder has its key is proven. */
export class ShownCertificate {
  readonly x509: X509Certificate;
  readonly #transport: TransportFacts;
  readonly #proofs = new Map<string, CertificateProof>();

  constructor(transport: TransportFacts, certificate: Uint8Array) {
    this.#transport = transport;
    this.x509 = new X509Certificate(certificate);
  }

  /** What the certificate says of the client with this id, once it was asked. */
  proofOf(id: string): CertificateProof | undefined {
    return this.#proofs.get(id);
  }

  /** Whether the certificate is that of a client, by the same rules as at the door of MQTT. */
  async judge(id: string, principal: ClientPrincipal, authenticator: Authenticator): Promise<CertificateProof> {
    const clientId = parseClientId(clientIdOf(principal));
    if (!clientId.ok) throw new TypeError(`${principalName(principal)} has no client id`);
    const verdict = await authenticator.authenticate({ clientId: clientId.value, transport: this.#transport });
    const grounds = verdict.outcome === 'accepted' ? verdict.grounds : undefined;
    const proof: CertificateProof = {
      method: grounds?.certificate?.authority === 'pinned' ? 'self_signed_tls_client_auth' : 'tls_client_auth',
      accepted: grounds !== undefined && principalName(grounds.principal) === principalName(principal),
      verdict,
    };
    this.#proofs.set(id, proof);
    return proof;
  }
}

/** Which certificate goes with a request; requests of listeners that ask for none have none. */
export type ShownCertificates = WeakMap<IncomingMessage, ShownCertificate>;

/** Notes the certificate of a connection, if it is there, for the request that came on it. */
export function noteCertificate(
  shown: ShownCertificates,
  request: IncomingMessage,
  transport: TransportFacts | undefined,
): void {
  if (transport?.certificate === undefined) return;
  // No server name: an address of the authorization server selects nobody, the path names the organisation.
  const { serverName: _, ...facts } = transport;
  shown.set(request, new ShownCertificate(facts, transport.certificate));
}
