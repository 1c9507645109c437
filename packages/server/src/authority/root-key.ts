import { join } from 'node:path';
import { Failure } from '@sallyport/model';
import { type CertificateAuthority, type CertificateFacts, keyPairFromPem, restoreAuthority } from '@sallyport/trust';
import { readSecretFile } from './key-files.ts';

export const ROOT_KEY_FILE = 'root-key.pem';

/** The root with its key, which is on this machine for as long as its owner has not taken it offline. */
export interface RootKey {
  isHere(): Promise<boolean>;
  /** Read from the disk each time and kept by nobody; `root_key_absent` if it was taken offline. */
  open(purpose: string): Promise<CertificateAuthority>;
}

/** `directory` is the folder of the key material. */
export function rootKey(directory: string, root: CertificateFacts): RootKey {
  const path = join(directory, ROOT_KEY_FILE);
  return {
    isHere: async () => (await readSecretFile(path)) !== undefined,
    async open(purpose) {
      const pem = await readSecretFile(path);
      if (pem === undefined) {
        throw new Failure('root_key_absent', `${purpose} needs the root key, and ${path} is not there.`);
      }
      return restoreAuthority({ certificate: root.der, keys: await keyPairFromPem(pem) });
    },
  };
}
