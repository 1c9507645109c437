import { Failure } from '@sallyport/model';
import { pkcs12Of } from '@sallyport/trust/secrets';
import { Command } from 'commander';
import { invocation, type Surroundings } from '../invocation.ts';
import { fileBytes, type KeystoreOptions, keyOf, openKeystore, withKeystore } from '../keystore-file.ts';
import { withExample } from '../options.ts';
import { pairNames } from '../pair-names.ts';
import { passphrase } from '../passphrase.ts';
import { writeNewFile } from '../pem-file.ts';

interface UnpackOptions extends KeystoreOptions {
  readonly out?: string;
  readonly pkcs12?: string;
  readonly passwordFile?: string;
}

/** `sallyport certificate unpack`: key and certificates of a device out of the store that a Java program had. Asks no server. */
export function certificateUnpackCommand(surroundings: Surroundings): Command {
  const command = withKeystore(new Command('unpack').argument('<file>', 'JKS or PKCS#12 file'), { keys: true })
    .description('Write key and certificates of a JKS or PKCS#12 file as PEM, or as a new PKCS#12 file')
    .option('--out <prefix>', 'write PREFIX.pem and PREFIX-key.pem; the name of the entry if left out')
    .option('--pkcs12 <file>', 'write one PKCS#12 file under a password instead')
    .option('--password-file <file>', 'take the password of the new PKCS#12 file from the first line of this file');
  withExample(
    command,
    'sallyport certificate unpack keystore.jks --store-password-file password --alias pump-7 --out pump-7',
  ).action(async (file: string, options: UnpackOptions, self: Command) => {
    const { output, terminal } = invocation(surroundings, self);
    const { bytes, isKeystore } = await fileBytes(file);
    if (!isKeystore) {
      throw new Failure('invalid_request', `The file ${file} is neither JKS nor PKCS#12.`, {
        cure: 'A PEM file needs no unpacking.',
      });
    }
    const { name, keyPem, chainPem } = keyOf(await openKeystore(file, bytes, options, terminal), file, options.alias);
    if (options.pkcs12 !== undefined) {
      const question = 'Password of the new PKCS#12 file';
      const password = await passphrase({ question, file: options.passwordFile, isNew: true }, terminal);
      await writeNewFile(options.pkcs12, await pkcs12Of({ keyPem, chainPem, password, name }), { secret: true });
      output.document({ name, pkcs12File: options.pkcs12 });
      return;
    }
    const { certificateFile, keyFile } = pairNames(options.out, fileName(name));
    await writeNewFile(keyFile, keyPem, { secret: true });
    await writeNewFile(certificateFile, chainPem, { secret: false });
    output.document({ name, certificateFile, keyFile });
  });
  return command;
}

/** A name in a store is whatever its maker wrote; in a file name it must lead nowhere else. */
function fileName(alias: string): string {
  return alias.replace(/[^A-Za-z0-9_-]/g, '_') || 'unpacked';
}
