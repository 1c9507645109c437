export { fromBase64url, toBase64url } from './base64url.ts';
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
  renewRootAuthority,
  restoreAuthority,
} from './certificate-authority.ts';
export {
  type CertificateRequest,
  createCertificateRequest,
  readCertificateRequest,
} from './certificate-request.ts';
export { certificatesOnly, readCertificatesOnly } from './certificates-only.ts';
export { fingerprintSha256 } from './fingerprint.ts';
export {
  currentKey,
  type Identity,
  type IdentityFile,
  type IdentityKey,
  type IdentityKeyFile,
  newIdentityKeys,
  readIdentity,
} from './identity.ts';
export {
  type ClientCertificateOptions,
  type IssuedCertificate,
  issueClientCertificate,
  issueServerCertificate,
  type ServerCertificateOptions,
} from './issue.ts';
export { keyIdOf } from './key-id.ts';
export { generateKeyPair, type KeyPair, keyPairFromPem, keyPairToPem, type PublicKey } from './key-pair.ts';
export { type OcspIssuerNames, ocspIssuerNames } from './ocsp-names.ts';
export { type AskedCertificate, createOcspRequest, type OcspRequest, readOcspRequest } from './ocsp-request.ts';
export { type CertificateStatus, createOcspResponse, type OcspRefusal, ocspRefusal } from './ocsp-response.ts';
export { certificatesFromPem, pemOf } from './pem.ts';
export { mayComeOfNonce, readOcspResponse, type VerifiedOcspAnswer } from './read-ocsp-response.ts';
export {
  REVOCATION_LIST_BYTES_MAXIMUM,
  readRevocationList,
  type VerifiedRevocationList,
} from './read-revocation-list.ts';
export { judgeNumber, type ReplayMemory, type ReplayVerdict } from './replay-window.ts';
export { createRevocationList, type RevokedEntry } from './revocation-list.ts';
export type { PublishedAt, RevocationPointers } from './revocation-pointers.ts';
export {
  LARGEST_SEALED,
  type ReadSealed,
  readSealed,
  type SealedBinding,
  type SealedContent,
  type SealedEncoding,
  type SealedHeader,
  sealMessage,
} from './sealed-message.ts';
export { generateSealingKey, type SealingKey, sealingKeyOf, sealingPublicKeyOf } from './sealing-key.ts';
export { beginSession, joinSession, type SessionKeys, type SessionParties, sessionInfo } from './sealing-session.ts';
export { selfSignedClientCertificate } from './self-signed.ts';
export { type ReadCommand, readCommand, type SignedCommand, signCommand } from './signed-command.ts';
export {
  type DocumentType,
  LARGEST_SIGNED,
  readSigned,
  type SignedEncoding,
  type SignedMessage,
} from './signed-message.ts';
export { messageId, readRefusal, type SignedRefusal, signRefusal } from './signed-refusal.ts';
export {
  generateSigningKey,
  jwkOf,
  type Signer,
  type SigningAlgorithm,
  signerOf,
  type VerificationKey,
  verificationKeyOf,
  verifies,
} from './signing-key.ts';
export { isSmallOrder } from './small-order.ts';
export {
  MOST_REVOKED,
  type Statement,
  type StatementProblem,
  type StatementVerdict,
  signStatement,
  verifyStatement,
} from './statement.ts';
export {
  authorityProblem,
  type Verification,
  type VerificationProblem,
  type VerifiedCertificate,
  type VerifyChainOptions,
  verifyChain,
} from './verify-chain.ts';
