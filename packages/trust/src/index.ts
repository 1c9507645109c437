export {
  type CertificateFacts,
  canonicalSerial,
  type ExtendedKeyUsage,
  type KeyUsage,
  readCertificate,
  type SubjectAlternativeNames,
} from './certificate.ts';
export {
  type AuthorityOptions,
  type CertificateAuthority,
  createIntermediateAuthority,
  createRootAuthority,
  type IntermediateOptions,
  restoreAuthority,
} from './certificate-authority.ts';
export {
  type CertificateRequest,
  createCertificateRequest,
  readCertificateRequest,
} from './certificate-request.ts';
export { fingerprintSha256 } from './fingerprint.ts';
export {
  type ClientCertificateOptions,
  type IssuedCertificate,
  issueClientCertificate,
  issueServerCertificate,
  type ServerCertificateOptions,
} from './issue.ts';
export { generateKeyPair, type KeyPair, keyPairFromPem, keyPairToPem, type PublicKey } from './key-pair.ts';
export { certificatesFromPem, pemOf } from './pem.ts';
export {
  authorityProblem,
  type Verification,
  type VerificationProblem,
  type VerifiedCertificate,
  type VerifyChainOptions,
  verifyChain,
} from './verify-chain.ts';
