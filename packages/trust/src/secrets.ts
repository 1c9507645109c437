export { constantTimeEqual } from './constant-time.ts';
export { decryptKeyPem, encryptKeyPem } from './encrypted-key.ts';
export type { Keystore, KeystoreKey, KeystorePasswords, TrustedEntry } from './keystore.ts';
export { type PasswordHasher, type PasswordHasherOptions, passwordHasher } from './password-hasher.ts';
export { pkcs12Of } from './pkcs12.ts';
export { keystoreKind, readKeystore } from './read-keystore.ts';
export {
  makeScramVerifier,
  readScramVerifier,
  SCRAM_HASHES,
  SCRAM_ITERATIONS,
  SCRAM_SALT_LENGTH,
  type ScramHash,
  type ScramVerifier,
  scramProofFits,
  scramServerSignature,
  scramVerifiers,
} from './scram.ts';
export { type SecretBox, secretBox } from './secret-box.ts';
export { generateToken, type TokenHasher, tokenHasher } from './token.ts';
