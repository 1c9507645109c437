import { createPrivateKey, X509Certificate } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '@sallyport/model';
import { decryptKeyPem, encryptKeyPem } from '@sallyport/trust/secrets';
import { readSecretFile, readTextFile, writePrivateFile } from './key-files.ts';
import { ROOT_KEY_FILE } from './root-key.ts';

/** A key of years under a passphrase that can be tried out is as safe as the passphrase is long. Characters. */
const PASSPHRASE_MINIMUM = 12;

/** Where the key material lies, and the passphrase that protects the root key outside of it. */
interface Custody {
  readonly directory: string;
  readonly passphrase: string;
}

/** The root key in PEM, encrypted under a passphrase of 12 characters or more. `root_key_absent` if it is offline already. */
export async function exportRootKey({ directory, passphrase }: Custody): Promise<string> {
  if ([...passphrase].length < PASSPHRASE_MINIMUM) {
    throw new Failure('invalid_request', `The passphrase has less than ${PASSPHRASE_MINIMUM} characters.`, {
      cure: 'Choose a longer one, for example five random words.',
    });
  }
  const keyPem = await readSecretFile(join(directory, ROOT_KEY_FILE));
  if (keyPem === undefined) throw new Failure('root_key_absent', 'The root key is offline already.');
  return encryptKeyPem(keyPem, passphrase);
}

/**
 * Takes the root key offline. `exported` must hold it and open with the passphrase: what is removed without a copy that works
 * is lost. Bytes may remain on the medium, so the folder belongs on an encrypted disk.
 */
export async function removeRootKey({ directory, passphrase, exported }: Custody & { readonly exported: string }) {
  await keyOfRoot(directory, exported, passphrase);
  const path = join(directory, ROOT_KEY_FILE);
  if ((await readSecretFile(path)) === undefined) {
    throw new Failure('root_key_absent', 'The root key is offline already.', { cure: 'There is nothing to remove.' });
  }
  await rm(path);
}

/** Brings the root key back from what {@link exportRootKey} wrote. `already_exists` if it is here. */
export async function restoreRootKey({ directory, passphrase, exported }: Custody & { readonly exported: string }) {
  const keyPem = await keyOfRoot(directory, exported, passphrase);
  const path = join(directory, ROOT_KEY_FILE);
  if ((await readSecretFile(path)) !== undefined) {
    throw new Failure('already_exists', 'The root key is here already.', { cure: 'There is nothing to restore.' });
  }
  await writePrivateFile(path, keyPem);
}

async function keyOfRoot(directory: string, exported: string, passphrase: string): Promise<string> {
  const rootPem = await readTextFile(join(directory, 'root.pem'));
  if (rootPem === undefined) throw new Failure('key_material_invalid', `${join(directory, 'root.pem')} is missing`);
  const keyPem = decryptKeyPem(exported, passphrase);
  if (!new X509Certificate(rootPem).checkPrivateKey(createPrivateKey(keyPem))) {
    throw new Failure('key_material_invalid', 'The file holds the key of another root.', {
      cure: 'Use the file that was exported from this data directory.',
    });
  }
  return keyPem;
}
