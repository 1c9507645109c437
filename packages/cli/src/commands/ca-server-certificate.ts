import type { ServerCertificateDocument } from '@sallyport/model';
import { Command } from 'commander';
import { administers } from '../administration.ts';
import type { Surroundings } from '../invocation.ts';
import { withKeystore } from '../keystore-file.ts';
import { withExample } from '../options.ts';
import type { Output } from '../output.ts';
import { writeNewFile } from '../pem-file.ts';
import { type ServerPairOptions, serverPairOf } from '../server-pair-file.ts';

interface SetOptions extends ServerPairOptions {
  readonly org?: string;
}

interface RequestOptions {
  readonly name?: readonly string[];
  readonly out?: string;
}

/** `sallyport ca server-certificate`: what the server shows in its handshakes. Without `--org` that of the server itself. */
export function caServerCertificateCommand(surroundings: Surroundings): Command {
  const command = new Command('server-certificate').description(
    'The certificate that the server shows: its own, or one of another authority',
  );
  const org = (sub: Command): Command =>
    sub.option('--org <id>', 'that for the host names ORG.… of this organisation; else that of the server');
  const collect = (file: string, files: readonly string[] = []) => [...files, file];

  withExample(
    withKeystore(org(command.command('set <file>')), { keys: true })
      .description(
        'Show the certificate in FILE (PEM, DER, PKCS#12 or JKS) from the next handshake on; it is checked first, and live connections stay',
      )
      .option('--key <file>', 'its private key; left out if FILE holds it')
      .option('--own-key', 'it is for the key of the server, as `request` has asked for')
      .option(
        '--chain <file>',
        'an authority between it and the root; may be given several times, the nearest first',
        collect,
      )
      .option('--passphrase-file <file>', 'take the passphrase of the key from the first line of this file'),
    'sallyport ca server-certificate set fullchain.pem --key privkey.pem',
    'sallyport ca server-certificate set signed.pem --own-key',
    'sallyport ca server-certificate set server.p12 --store-password-file password',
    'sallyport ca server-certificate set acme.pem --key acme-key.pem --org acme',
  ).action(
    administers(surroundings, async ({ management, output, terminal }, file: string, given: SetOptions) => {
      const pair = await serverPairOf(file, given, terminal);
      show(output, await management.serverCertificate.set(pair, given.org));
    }),
  );
  withExample(
    command
      .command('request')
      .description(
        'Ask another authority for a certificate: a request (PKCS#10) for the key of the server, which stays there',
      )
      .option('--name <host>', 'host name or address that it is to list; may be given several times', collect)
      .option('--out <file>', 'write it to this new file; else it is shown'),
    'sallyport ca server-certificate request --out server.csr',
    'sallyport ca server-certificate request --name mqtt.example.com --name *.example.com --out server.csr',
  ).action(
    administers(surroundings, async ({ management, output }, given: RequestOptions) => {
      const { csr } = await management.serverCertificate.request(given.name ? { names: given.name } : {});
      if (given.out === undefined) return output.text(csr.trimEnd(), { csr });
      await writeNewFile(given.out, csr, { secret: false });
      output.text(`Wrote ${given.out}. Have it signed; then: sallyport ca server-certificate set FILE --own-key`, {
        requestFile: given.out,
      });
    }),
  );
  withExample(
    org(command.command('show')).description('Show what clients are shown, and what they may stumble over'),
    'sallyport ca server-certificate show',
  ).action(
    administers(surroundings, async ({ management, output }, given: { readonly org?: string }) => {
      show(output, await management.serverCertificate.get(given.org));
    }),
  );
  withExample(
    org(command.command('reset')).description('Show the certificate of this server again, and forget the imported one'),
    'sallyport ca server-certificate reset',
  ).action(
    administers(surroundings, async ({ management, output }, given: { readonly org?: string }) => {
      show(output, await management.serverCertificate.reset(given.org));
    }),
  );
  return command;
}

function show(output: Output, { chainPem: _, warnings, ...document }: ServerCertificateDocument): void {
  output.document(output.json ? { ...document, warnings } : { ...document, names: document.names.join(', ') });
  if (output.json) return;
  for (const warning of warnings) output.note(`Note: ${warning}`);
}
