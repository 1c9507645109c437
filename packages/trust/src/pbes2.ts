import { createCipheriv, pbkdf2, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { NULL, objectIdentifier, octetString, sequence, smallInteger } from './der-writer.ts';

/** What a guess at the password costs: 600,000 rounds, the figure of the OWASP cheat sheet for PBKDF2 with SHA-256. */
const ITERATIONS = 600_000;

const PBES2 = objectIdentifier('1.2.840.113549.1.5.13');
const PBKDF2 = objectIdentifier('1.2.840.113549.1.5.12');
const HMAC_SHA256 = objectIdentifier('1.2.840.113549.2.9');
const AES_256_CBC = objectIdentifier('2.16.840.1.101.3.4.1.42');

/** Bytes that were encrypted under a password (RFC 8018 section 6.2), and DER of the algorithm that says how. */
export interface PasswordEncrypted {
  readonly algorithm: Uint8Array;
  readonly ciphertext: Uint8Array;
}

/** Encrypts with AES-256 under a key made from the password, with a salt and initialisation vector of its own each time. */
export async function encryptWithPassword(plain: Uint8Array, password: string): Promise<PasswordEncrypted> {
  const salt = randomBytes(16);
  const iv = randomBytes(16);
  const key = await promisify(pbkdf2)(password, salt, ITERATIONS, 32, 'sha256');
  const cipher = createCipheriv('aes-256-cbc', key, iv);
  return {
    algorithm: sequence(
      PBES2,
      sequence(
        sequence(
          PBKDF2,
          sequence(octetString(salt), smallInteger(ITERATIONS), smallInteger(32), sequence(HMAC_SHA256, NULL)),
        ),
        sequence(AES_256_CBC, octetString(iv)),
      ),
    ),
    ciphertext: Buffer.concat([cipher.update(plain), cipher.final()]),
  };
}
