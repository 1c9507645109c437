import {
  createIntermediateAuthority,
  createRootAuthority,
  generateKeyPair,
  issueServerCertificate,
  keyPairToPem,
} from '@sallyport/trust';
import { writePrivateFolder } from './key-files.ts';
import { ROOT_KEY_FILE } from './root-key.ts';
import type { ServerNames } from './server-names.ts';

const YEAR = 365 * 24 * 60 * 60_000;

/** Makes root, intermediate and server certificate with new P-256 keys; the folder appears whole or not at all. */
export async function createKeyMaterial(directory: string, names: ServerNames, now: number): Promise<void> {
  const root = await createRootAuthority({ commonName: 'Sallyport root', now, validity: 20 * YEAR });
  const intermediate = await createIntermediateAuthority({
    authority: root,
    commonName: 'Sallyport intermediate',
    now,
    validity: 10 * YEAR,
  });
  const keys = await generateKeyPair();
  const server = await issueServerCertificate({ authority: intermediate, publicKey: keys.publicKey, ...names, now });
  await writePrivateFolder(directory, {
    'root.pem': root.pem,
    [ROOT_KEY_FILE]: await keyPairToPem(root.keys),
    'intermediate.pem': intermediate.pem,
    'intermediate-key.pem': await keyPairToPem(intermediate.keys),
    'server.pem': server.chainPem,
    'server-key.pem': await keyPairToPem(keys),
  });
}
