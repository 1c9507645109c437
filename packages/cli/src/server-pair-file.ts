import { createPrivateKey, type KeyObject } from 'node:crypto';
import { Failure } from '@sallyport/model';
import { pemOf } from '@sallyport/trust';
import { fileBytes, type KeystoreOptions, keyOf, openKeystore } from './keystore-file.ts';
import { passphrase } from './passphrase.ts';
import { UsageError } from './report-failure.ts';
import type { Terminal } from './terminal.ts';

export interface ServerPairOptions extends KeystoreOptions {
  readonly key?: string;
  readonly chain?: readonly string[];
  readonly passphraseFile?: string;
  /** The certificate is for the key that the server has. */
  readonly ownKey?: boolean;
}

/**
 * Certificate chain and key in PEM from the files that were named: PEM, DER, PKCS#12 or JKS, the key under a passphrase or not.
 *
 * @throws Failure `invalid_request` that names the file; UsageError if the key is missing
 */
export async function serverPairOf(
  file: string,
  options: ServerPairOptions,
  terminal: Terminal,
): Promise<{ readonly chain: string; readonly key?: string }> {
  if (options.ownKey && options.key !== undefined) throw new UsageError('--own-key needs no key.', 'Leave --key out.');
  const { bytes, isKeystore } = await fileBytes(file);
  if (isKeystore) {
    if (options.ownKey) throw new UsageError(`${file} holds a key of its own.`, 'Leave --own-key out.');
    if (options.key !== undefined) throw new UsageError(`${file} holds the key already.`, 'Leave --key out.');
    const { chainPem, keyPem } = keyOf(await openKeystore(file, bytes, options, terminal), file, options.alias);
    return { chain: chainPem + (await morePem(options.chain)), key: keyPem };
  }
  const chain = certificatesPem(file, bytes) + (await morePem(options.chain));
  if (options.ownKey) return { chain };
  if (options.key !== undefined) return { chain, key: await keyPem(options.key, options.passphraseFile, terminal) };
  if (!bytes.includes('PRIVATE KEY-----'))
    throw new UsageError(
      `${file} holds no key.`,
      'Give the file of the key with --key FILE, or --own-key if `ca server-certificate request` has made the request.',
    );
  return { chain, key: await keyPem(file, options.passphraseFile, terminal) };
}

async function morePem(files: readonly string[] = []): Promise<string> {
  const texts = await Promise.all(files.map(async (file) => certificatesPem(file, (await fileBytes(file)).bytes)));
  return texts.join('');
}

function certificatesPem(file: string, bytes: Buffer): string {
  const blocks = bytes.toString('latin1').match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
  if (blocks) return `${blocks.join('\n')}\n`;
  // DER begins with a SEQUENCE.
  if (bytes[0] === 0x30) return pemOf('CERTIFICATE', bytes);
  throw new Failure('invalid_request', `The file ${file} holds no certificate.`, {
    cure: 'Name a file in PEM, DER, PKCS#12 or JKS.',
  });
}

async function keyPem(file: string, passphraseFile: string | undefined, terminal: Terminal): Promise<string> {
  const { bytes } = await fileBytes(file);
  const plain = readKey(bytes);
  const text = bytes.toString('latin1');
  if (plain) return plain;
  if (text.includes('-----BEGIN') && !text.includes('ENCRYPTED')) throw unusable(file);
  const secret = await passphrase({ question: `Passphrase of ${file}`, file: passphraseFile, isNew: false }, terminal);
  const opened = readKey(bytes, secret);
  if (opened) return opened;
  throw unusable(file);
}

function unusable(file: string): Failure {
  return new Failure('invalid_request', `The key in ${file} cannot be read.`, {
    cure: 'Check the passphrase, and that it is a private key in PKCS#8, PKCS#1 or SEC 1 (PEM or DER).',
  });
}

/** PKCS#8 PEM. OpenSSL must never ask for a passphrase by itself, so an empty one is given. */
function readKey(bytes: Buffer, passphrase = ''): string | undefined {
  const key =
    bytes[0] === 0x30
      ? (tried(() => createPrivateKey({ key: bytes, format: 'der', type: 'pkcs8', passphrase })) ??
        tried(() => createPrivateKey({ key: bytes, format: 'der', type: 'sec1' })) ??
        tried(() => createPrivateKey({ key: bytes, format: 'der', type: 'pkcs1' })))
      : tried(() => createPrivateKey({ key: bytes, format: 'pem', passphrase }));
  return key?.export({ type: 'pkcs8', format: 'pem' }) as string | undefined;
}

function tried(read: () => KeyObject): KeyObject | undefined {
  try {
    return read();
  } catch {
    // No cause: a parser's error could quote a piece of the key.
    return undefined;
  }
}
