import { readFile } from 'node:fs/promises';
import { Failure } from '@sallyport/model';
import { pemOf } from '@sallyport/trust';
import { type Keystore, type KeystoreKey, keystoreKind, readKeystore } from '@sallyport/trust/secrets';
import type { Command } from 'commander';
import { passphrase } from './passphrase.ts';
import type { Terminal } from './terminal.ts';

/** Options of a command that may read a key store. */
export interface KeystoreOptions {
  readonly storePasswordFile?: string;
  readonly keyPasswordFile?: string;
  readonly alias?: string;
}

/** Adds `--store-password-file` and `--alias`; with `keys` also the password of a key that has one of its own. */
export function withKeystore(command: Command, { keys }: { readonly keys: boolean }): Command {
  command
    .option('--store-password-file <file>', 'password of a JKS or PKCS#12 file, on the first line of this file')
    .option('--alias <name>', 'only this entry of a JKS or PKCS#12 file');
  if (keys) command.option('--key-password-file <file>', 'password of the key in a JKS file, where it is another');
  return command;
}

/** The bytes of a file, and whether they are a key store: JKS or PKCS#12. */
export async function fileBytes(file: string): Promise<{ readonly bytes: Buffer; readonly isKeystore: boolean }> {
  try {
    const bytes = await readFile(file);
    return { bytes, isKeystore: keystoreKind(bytes) !== undefined };
  } catch (cause) {
    throw new Failure('invalid_request', `The file ${file} cannot be read.`, {
      cause,
      cure: 'Check the path and its permissions.',
    });
  }
}

/**
 * Opens a key store with passwords from files, typed, or from standard input.
 *
 * @throws Failure `invalid_request` that says what is wrong with it
 */
export async function openKeystore(
  file: string,
  bytes: Uint8Array,
  { storePasswordFile, keyPasswordFile }: KeystoreOptions,
  terminal: Terminal,
): Promise<Keystore> {
  const password = await passphrase(
    { question: `Password of ${file}`, file: storePasswordFile, isNew: false },
    terminal,
  );
  const keyPassword =
    keyPasswordFile === undefined
      ? undefined
      : await passphrase({ question: 'Password of the key', file: keyPasswordFile, isNew: false }, terminal);
  const read = await readKeystore(bytes, { password, ...(keyPassword === undefined ? {} : { keyPassword }) });
  if (read.ok) return read.value;
  throw new Failure('invalid_request', `The file ${file} cannot be used: ${read.problem}.`, {
    cure: '`keytool -list -keystore FILE` or `openssl pkcs12 -info -in FILE` shows what is in it.',
  });
}

/** The one key of a store, or the one that is named. */
export function keyOf(
  { keys }: Keystore,
  file: string,
  alias: string | undefined,
): KeystoreKey & { readonly chainPem: string } {
  const fitting = alias === undefined ? keys : keys.filter(({ name }) => sameAlias(name, alias));
  const [only] = fitting;
  if (!only || fitting.length > 1) {
    const names = keys.map(({ name }) => name || '(no name)').join(', ');
    const problem = only
      ? `The file ${file} holds ${fitting.length} keys: ${names}.`
      : `The file ${file} holds no key${alias === undefined ? '' : ` "${alias}"`}; it has ${names || 'none'}.`;
    throw new Failure('invalid_request', problem, {
      cure: only ? 'Say which with --alias NAME.' : 'Name another file or alias.',
    });
  }
  if (only.chain.length === 0)
    throw new Failure('invalid_request', `The file ${file} holds no certificate of the key "${only.name}".`, {
      cure: 'Name a file that has both.',
    });
  return { ...only, chainPem: only.chain.map((der) => pemOf('CERTIFICATE', der)).join('') };
}

/** The certificates of a store that are trusted by themselves, or the one that is named, in PEM. */
export function trustedOf(
  { trusted }: Keystore,
  file: string,
  alias: string | undefined,
): readonly { readonly name: string; readonly pem: string }[] {
  const fitting = alias === undefined ? trusted : trusted.filter(({ name }) => sameAlias(name, alias));
  if (fitting.length === 0) {
    throw new Failure(
      'invalid_request',
      `The file ${file} holds no trusted certificate${alias === undefined ? '' : ` "${alias}"`}.`,
      { cure: '`keytool -list -keystore FILE` shows its entries; those of the kind trustedCertEntry are meant.' },
    );
  }
  return fitting.map(({ name, certificate }) => ({ name, pem: pemOf('CERTIFICATE', certificate) }));
}

/** Java does not tell letter case apart in the names of entries. */
function sameAlias(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
