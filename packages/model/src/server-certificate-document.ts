/** A certificate that the server shows in its handshakes, with what is behind it. Never the key. */
export interface ServerCertificateDocument {
  /** Whose host names it is for; absent for that of the server itself. */
  readonly organisation?: string;
  /** `own`: of the authority of this server, renewed by itself. `imported`: given by an operator, who also renews it. */
  readonly source: 'own' | 'imported';
  readonly subject: string;
  readonly issuer: string;
  readonly serial: string;
  /** SHA-256 of the certificate. */
  readonly fingerprint: string;
  readonly notBefore: string;
  readonly notAfter: string;
  /** Host names and addresses that it lists. */
  readonly names: readonly string[];
  /** The certificate and the authorities that are sent with it. */
  readonly chainPem: string;
  /** What clients may stumble over, in sentences. */
  readonly warnings: readonly string[];
}

/** A request for another authority to sign, for the key of the server, which stays there. */
export interface ServerCertificateRequestDocument {
  /** PKCS#10 in PEM. */
  readonly csr: string;
}
