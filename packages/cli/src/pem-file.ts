import { readFile, writeFile } from 'node:fs/promises';
import { Failure } from '@sallyport/model';

/** No certificate, request or chain is larger; what is, was named by mistake. Bytes. */
const LARGEST = 65_536;

/**
 * The text of a PEM file; a DER file is written as PEM under the label that it is expected to have.
 *
 * @throws Failure `invalid_request` if it cannot be read, is too large, or holds a private key
 */
export async function pemFile(file: string, label: 'CERTIFICATE' | 'CERTIFICATE REQUEST'): Promise<string> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    throw new Failure('invalid_request', `The file ${file} cannot be read.`, {
      cause,
      cure: 'Check the path and its permissions.',
    });
  }
  if (bytes.length > LARGEST) throw new Failure('invalid_request', `The file ${file} is too large for a certificate.`);
  const text = bytes.toString('latin1');
  if (text.includes('PRIVATE KEY-----')) {
    throw new Failure('invalid_request', `The file ${file} holds a private key, which nobody should be sent.`, {
      cure: 'Name the file of the certificate or the request; keep the key where it is.',
    });
  }
  if (text.includes(`${label}-----`)) return text;
  // DER begins with a SEQUENCE.
  if (bytes[0] !== 0x30) throw new Failure('invalid_request', `The file ${file} holds no ${label.toLowerCase()}.`);
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

/**
 * Writes a new file; a secret so that only its owner can read it.
 *
 * @throws Failure `invalid_request` if it exists or cannot be written
 */
export async function writeNewFile(
  file: string,
  text: string | Uint8Array,
  options: { readonly secret: boolean },
): Promise<void> {
  try {
    await writeFile(file, text, { flag: 'wx', mode: options.secret ? 0o600 : 0o644 });
  } catch (cause) {
    throw new Failure('invalid_request', `The file ${file} cannot be written.`, {
      cause,
      cure: 'Name one that does not exist yet, with --out, in a folder that you may write.',
    });
  }
}
