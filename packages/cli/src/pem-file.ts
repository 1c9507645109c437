import { readFile, rm, writeFile } from 'node:fs/promises';
import { ManagementFailure } from '@sallyport/application/management';
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
    throw unwritable(file, cause);
  }
}

/** A place that is ours before something is issued which would be lost without it. */
export interface ReservedFile {
  fill(text: string | Uint8Array): Promise<void>;
  /** Nothing came of it. */
  giveUp(): Promise<void>;
}

/**
 * Makes a new file that is empty for now.
 *
 * @throws Failure `invalid_request` if it exists or cannot be written
 */
export async function reserveFile(file: string, options: { readonly secret: boolean }): Promise<ReservedFile> {
  await writeNewFile(file, '', options);
  return {
    fill: (text) => writeFile(file, text),
    giveUp: () => rm(file, { force: true }),
  };
}

/** Whether the server has said no: where it has not answered, something may have been issued all the same. */
export function wasRefused(problem: unknown): boolean {
  return problem instanceof ManagementFailure && problem.status < 500;
}

function unwritable(file: string, cause: unknown): Failure {
  const { code = 'unknown' } = cause as NodeJS.ErrnoException;
  if (code === 'EEXIST') {
    return new Failure('invalid_request', `The file ${file} exists already, and is left as it is.`, {
      cause,
      cure: 'Name another with --out, or move it away.',
    });
  }
  return new Failure('invalid_request', `The file ${file} cannot be written (${code}).`, {
    cause,
    cure: 'Name one, with --out, in a folder that exists and that you may write.',
  });
}
