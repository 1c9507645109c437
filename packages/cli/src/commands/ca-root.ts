import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '@sallyport/model';
import { Command } from 'commander';
import { invocation, type Surroundings } from '../invocation.ts';
import { withExample } from '../options.ts';
import { confirmed, passphrase } from '../passphrase.ts';
import { writeNewFile } from '../pem-file.ts';

interface RootOptions {
  readonly passphraseFile?: string;
  readonly yes?: boolean;
}

const QUESTION = 'Passphrase of the exported root key';
const CONSEQUENCES = [
  'Without the root key an organisation that is created later cannot issue its first certificate, and the authority of an',
  'organisation cannot be made anew. Everything else goes on: certificates are issued, renewed and revoked as before.',
].join('\n');

const RENEWAL = [
  'Every certificate leads to the new root as to the old one, so both are good until the old one ends. Clients that have only the old one',
  'refuse the server from then on: give them the new one in time.',
].join('\n');

/** `sallyport ca root`: works on the files of the data directory, whether the server runs or not. */
export function caRootCommand(surroundings: Surroundings): Command {
  const command = new Command('root').description('The key of the root: take it offline and bring it back');
  const sub = (name: string, meaning: string, example: string) =>
    withExample(
      command
        .command(`${name} <file>`)
        .description(meaning)
        .option('--passphrase-file <file>', 'take the passphrase from the first line of this file'),
      `sallyport ca root ${name} ${example}`,
    );

  sub('export', 'Write the root key, encrypted under a passphrase, to a new file', 'root-key.enc.pem').action(
    async (file: string, options: RootOptions, self: Command) => {
      const { output, terminal, directory } = call(self);
      const secret = await passphrase({ question: QUESTION, file: options.passphraseFile, isNew: true }, terminal);
      const { exportRootKey } = await import('@sallyport/server');
      await writeNewFile(file, await exportRootKey({ directory, passphrase: secret }), { secret: true });
      output.text(`Wrote ${file}. Keep it, and the passphrase, away from this machine.`, { keyFile: file });
    },
  );
  sub('remove-key', 'Take the root key offline; FILE must be what was exported', 'root-key.enc.pem')
    .option('--yes', 'do not ask')
    .action(async (file: string, options: RootOptions, self: Command) => {
      const { output, terminal, directory } = call(self);
      const exported = await read(file);
      terminal.err(CONSEQUENCES);
      await confirmed('Remove the root key from this machine?', options.yes, terminal);
      const secret = await passphrase({ question: QUESTION, file: options.passphraseFile, isNew: false }, terminal);
      const { removeRootKey } = await import('@sallyport/server');
      await removeRootKey({ directory, passphrase: secret, exported });
      output.text(`Removed the root key; ${file} holds the only copy.`, { removed: 'root-key.pem' });
    });
  sub('restore-key', 'Bring the root key back from what was exported', 'root-key.enc.pem').action(
    async (file: string, options: RootOptions, self: Command) => {
      const { output, terminal, directory } = call(self);
      const exported = await read(file);
      const secret = await passphrase({ question: QUESTION, file: options.passphraseFile, isNew: false }, terminal);
      const { restoreRootKey } = await import('@sallyport/server');
      await restoreRootKey({ directory, passphrase: secret, exported });
      output.text('The root key is here again; a running server finds it when it needs it.', { restored: file });
    },
  );
  withExample(
    command
      .command('renew')
      .description('Certify the root anew for twenty years, under its name and with its key, which must be here')
      .option('--yes', 'do not ask'),
    'sallyport ca root renew',
  ).action(async (options: Pick<RootOptions, 'yes'>, self: Command) => {
    const { output, terminal, directory, now } = call(self);
    terminal.err(RENEWAL);
    await confirmed('Renew the root?', options.yes, terminal);
    const { renewRoot } = await import('@sallyport/server');
    const { before, now: renewed, kept } = await renewRoot({ directory, now: now() });
    const [ends, ended] = [renewed, before].map(({ notAfter }) => new Date(notAfter).toISOString());
    output.text(
      `The root ends at ${ends}. Start the server again, and give root.pem to every client before ${ended}.`,
      {
        rootCertificate: join(directory, 'root.pem'),
        kept,
        notAfter: ends,
        before: ended,
      },
    );
  });
  return command;

  function call(self: Command) {
    const { output, terminal, options, now } = invocation(surroundings, self);
    return { output, terminal, now, directory: join(options.dataDir, 'pki') };
  }
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new Failure('invalid_request', `The file ${file} cannot be read.`, {
      cause,
      cure: 'Check the path and its permissions.',
    });
  }
}
