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
export { type OcspIssuerNames, ocspIssuerNames } from './ocsp-names.ts';
export { type AskedCertificate, createOcspRequest, type OcspRequest, readOcspRequest } from './ocsp-request.ts';
export { type CertificateStatus, createOcspResponse, type OcspRefusal, ocspRefusal } from './ocsp-response.ts';
export { certificatesFromPem, pemOf } from './pem.ts';
export { readOcspResponse, type VerifiedOcspAnswer } from './read-ocsp-response.ts';
export {
  REVOCATION_LIST_BYTES_MAXIMUM,
  readRevocationList,
  type VerifiedRevocationList,
} from './read-revocation-list.ts';
export { createRevocationList, type RevokedEntry } from './revocation-list.ts';
export type { PublishedAt, RevocationPointers } from './revocation-pointers.ts';
export {
  authorityProblem,
  type Verification,
  type VerificationProblem,
  type VerifiedCertificate,
  type VerifyChainOptions,
  verifyChain,
} from './verify-chain.ts';
