import { createPrivateKey } from 'node:crypto';
import { Failure } from '@sallyport/model';
import { octetString, sequence } from './der-writer.ts';
import { encryptWithPassword } from './pbes2.ts';
import { pemOf } from './pem.ts';

/** A private key under a passphrase, as PEM `ENCRYPTED PRIVATE KEY` (RFC 5958 section 3); openssl reads it. */
export async function encryptKeyPem(keyPem: string, passphrase: string): Promise<string> {
  const plain = createPrivateKey(keyPem).export({ type: 'pkcs8', format: 'der' });
  const { algorithm, ciphertext } = await encryptWithPassword(plain, passphrase);
  return pemOf('ENCRYPTED PRIVATE KEY', sequence(algorithm, octetString(ciphertext)));
}

/** The key in plain PKCS#8 PEM. A wrong passphrase and a damaged file cannot be told apart: `key_material_invalid`. */
export function decryptKeyPem(encrypted: string, passphrase: string): string {
  try {
    return createPrivateKey({ key: encrypted, passphrase }).export({ type: 'pkcs8', format: 'pem' }) as string;
  } catch {
    // No cause: a parser's error could quote a piece of the key.
    throw new Failure('key_material_invalid', 'the key cannot be decrypted', {
      cure: 'Check the passphrase, and that the file is the whole one that was exported.',
    });
  }
}
