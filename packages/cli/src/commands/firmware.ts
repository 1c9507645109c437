import { writeFile } from 'node:fs/promises';
import {
  Failure,
  type FirmwareReleaseDocument,
  type FirmwareRepositoryDocument,
  type FirmwareRoleDocument,
} from '@sallyport/model';
import { Command, Option } from 'commander';
import { administers } from '../administration.ts';
import { makeOfflineRoles, signTargets } from '../firmware/offline-keys.ts';
import { uploadImage } from '../firmware/upload-image.ts';
import type { Surroundings } from '../invocation.ts';
import { countOption } from '../option-values.ts';
import { withExample, withOrganisation } from '../options.ts';
import type { Output } from '../output.ts';
import { createProgress } from '../progress.ts';
import { UsageError } from '../report-failure.ts';
import { chosenPassword } from '../secret-input.ts';
import type { Terminal } from '../terminal.ts';
import { firmwareRootCommand } from './firmware-root.ts';
import { releaseNamed } from './release-name.ts';
import { rolloutCommand } from './rollout.ts';

interface KeyOptions {
  readonly keys?: string;
  readonly passphraseFile?: string;
}

interface InitOptions extends KeyOptions {
  readonly rootKeys: number;
  readonly rootThreshold: number;
}

interface ReleaseOptions extends KeyOptions {
  readonly type: string;
  // The program has an option --version of its own, which commander hands to whoever asks first.
  readonly version: string;
  readonly sequence?: number;
  readonly minimumSequence?: number;
  readonly renewCertificate?: boolean;
}

const COLUMNS = [
  { heading: 'type', value: (row: FirmwareReleaseDocument) => row.type },
  { heading: 'version', value: (row: FirmwareReleaseDocument) => row.version },
  { heading: 'sequence', value: (row: FirmwareReleaseDocument) => row.sequence },
  { heading: 'minimum', value: (row: FirmwareReleaseDocument) => row.minimumSequence },
  { heading: 'bytes', value: (row: FirmwareReleaseDocument) => row.size },
  { heading: 'sha256', value: (row: FirmwareReleaseDocument) => row.digest.slice(0, 16) },
];

export function firmwareCommand(surroundings: Surroundings): Command {
  const { now, terminal } = surroundings;
  const command = new Command('firmware').description('Images that devices may run: sign, list, take back, roll out');

  const init = withKeys(withOrganisation(command.command('init')))
    .description(
      'Make the repository and the keys that sign it; with --keys root and targets are signed here, and their keys never reach the server',
    )
    .addOption(new Option('--root-keys <count>', 'with --keys: root keys to make').argParser(countOption).default(1))
    .addOption(
      new Option('--root-threshold <count>', 'with --keys: root keys that must sign').argParser(countOption).default(1),
    );
  withExample(
    init,
    'sallyport firmware init',
    'sallyport firmware init --keys ./firmware-keys --passphrase-file passphrase',
  ).action(
    administers(surroundings, async ({ management, output, organisation }, options: InitOptions) => {
      const name = await organisation();
      const { keys: folder, rootKeys, rootThreshold } = options;
      if (rootThreshold > rootKeys)
        throw new UsageError('More root keys must sign than there are.', 'Make more root keys.');
      if (folder === undefined) {
        showRepository(output, await management.firmware.initialise(name));
        output.note('The keys of all roles lie on the server. With --keys FOLDER those of root and targets would not.');
        return;
      }
      const passphrase = await passphraseOf(options, terminal);
      const signing = await management.firmware.signing(name);
      const offline = await makeOfflineRoles(signing, { folder, passphrase, rootKeys, rootThreshold, now: now() });
      showRepository(output, await management.firmware.initialise(name, offline));
      output.note(
        `The keys of root and targets are in ${folder}, encrypted. Keep copies of them apart from the server.`,
      );
    }),
  );

  const release = withKeys(withOrganisation(command.command('release <file>')))
    .description('Upload an image and sign it, so that devices of its type may run it')
    .requiredOption('--type <id>', 'device type that it is for')
    .requiredOption('--version <version>', 'its version, for people')
    .addOption(
      new Option('--sequence <number>', 'counter that devices compare; one above the last if left out').argParser(
        countOption,
      ),
    )
    .addOption(
      new Option(
        '--minimum-sequence <number>',
        'what may still start once this has proven itself; if left out, nothing older',
      ).argParser(countOption),
    )
    .option('--renew-certificate', 'devices that prove themselves by a certificate have a new one issued with it');
  withExample(release, 'sallyport firmware release pump.bin --type pump --version 1.2.0').action(
    administers(surroundings, async ({ management, output, organisation }, file: string, options: ReleaseOptions) => {
      const name = await organisation();
      const { type, version, sequence, minimumSequence, keys: folder, renewCertificate } = options;
      const progress = createProgress(terminal);
      const image = await progress.step(
        `Uploading ${file}`,
        (say) => uploadImage(management, name, file, say),
        ({ size }) => `Uploaded ${size} bytes`,
      );
      const counters = {
        ...(sequence !== undefined && { sequence }),
        ...(minimumSequence !== undefined && { minimumSequence }),
      };
      const renewal = renewCertificate ? ({ renewCertificate: true } as const) : {};
      const wanted = { type, version, ...image, ...counters, ...renewal };
      if (folder === undefined) return output.document(await management.firmware.release(name, wanted));
      const passphrase = await passphraseOf(options, terminal);
      const signing = await management.firmware.signing(name);
      const targets = await signTargets(signing, {
        folder,
        passphrase,
        now: now(),
        change: (manifests) => {
          const next = sequence ?? (signing.sequences[type] ?? 0) + 1;
          const numbers = { sequence: next, minimumSequence: minimumSequence ?? next };
          return [...manifests, { type, version, ...image, ...numbers, ...renewal }];
        },
      });
      output.document(await management.firmware.release(name, { ...wanted, targets }));
    }),
  );

  withExample(
    withOrganisation(command.command('list')).description('Show all releases'),
    'sallyport firmware list',
  ).action(
    administers(surroundings, async ({ management, output, organisation }) => {
      output.list((await management.firmware.list(await organisation())).items, COLUMNS);
    }),
  );

  withExample(
    withOrganisation(command.command('show [release]')).description(
      'Show a release (TYPE/VERSION), or the repository: its roles, who holds their keys, until when they hold',
    ),
    'sallyport firmware show pump/1.2.0',
  ).action(
    administers(surroundings, async ({ management, output, organisation }, text: string | undefined) => {
      const name = await organisation();
      if (text !== undefined) return output.document(await management.firmware.get(name, releaseNamed(text)));
      showRepository(output, await management.firmware.describe(name));
    }),
  );

  const remove = withKeys(withOrganisation(command.command('remove <release>'))).description(
    'Take a release (TYPE/VERSION) back: devices do not find it any more; those that run it go on',
  );
  withExample(remove, 'sallyport firmware remove pump/1.2.0').action(
    administers(surroundings, async ({ management, output, organisation }, text: string, options: KeyOptions) => {
      const name = await organisation();
      const { type, version } = await management.firmware.get(name, releaseNamed(text));
      const { keys: folder } = options;
      if (folder === undefined) await management.firmware.remove(name, { type, version });
      else {
        const change = { folder, passphrase: await passphraseOf(options, terminal), now: now() };
        const targets = await signTargets(await management.firmware.signing(name), {
          ...change,
          change: (manifests) => manifests.filter((one) => one.type !== type || one.version !== version),
        });
        await management.firmware.replaceTargets(name, targets);
      }
      output.text(`Removed ${type} ${version}.`, { removed: { type, version } });
    }),
  );

  const renew = withKeys(withOrganisation(command.command('renew'))).description(
    'Sign the list of releases anew with keys that are not on the server; what the server holds it renews by itself',
  );
  withExample(renew, 'sallyport firmware renew --keys ./firmware-keys --passphrase-file passphrase').action(
    administers(surroundings, async ({ management, output, organisation }, options: KeyOptions) => {
      const name = await organisation();
      const { keys: folder } = options;
      if (folder === undefined) throw new UsageError('Which keys is not said.', 'Add --keys FOLDER.');
      const passphrase = await passphraseOf(options, terminal);
      const signing = await management.firmware.signing(name);
      const targets = await signTargets(signing, { folder, passphrase, now: now(), change: (manifests) => manifests });
      showRepository(output, await management.firmware.replaceTargets(name, targets));
    }),
  );

  withExample(
    withOrganisation(command.command('export-root <file>')).description(
      'Write the root role that devices are to pin when they are made',
    ),
    'sallyport firmware export-root root.json',
  ).action(
    administers(surroundings, async ({ management, output, organisation }, file: string) => {
      const { root } = await management.firmware.signing(await organisation());
      if (root === undefined)
        throw new Failure('not_found', 'There is no firmware repository yet.', {
          cure: 'Run `sallyport firmware init`.',
        });
      await writeFile(file, root, { flag: 'wx' }).catch((cause: unknown) => {
        throw new Failure('invalid_request', `The file ${file} cannot be written.`, {
          cause,
          cure: 'Name a new file.',
        });
      });
      output.text(`Wrote ${file}.`, { written: file });
    }),
  );

  command.addCommand(firmwareRootCommand(surroundings));
  command.addCommand(rolloutCommand(surroundings));
  return command;
}

const ROLE_COLUMNS = [
  { heading: 'role', value: (row: FirmwareRoleDocument) => row.role },
  { heading: 'keys', value: (row: FirmwareRoleDocument) => `${row.threshold} of ${row.keys.length}` },
  { heading: 'held', value: (row: FirmwareRoleDocument) => (row.signedHere ? 'by the server' : 'elsewhere') },
  { heading: 'version', value: (row: FirmwareRoleDocument) => row.version },
  { heading: 'holds until', value: (row: FirmwareRoleDocument) => row.expiresAt },
];

function showRepository(output: Output, repository: FirmwareRepositoryDocument): void {
  if (output.json) output.document(repository);
  else output.list(repository.roles, ROLE_COLUMNS);
  output.note(`${repository.releases} releases with ${repository.size} bytes.`);
}

function withKeys(command: Command): Command {
  return command
    .option('--keys <folder>', 'folder with the encrypted keys of root and targets')
    .option('--passphrase-file <file>', 'with --keys: their passphrase; else from standard input');
}

function passphraseOf({ passphraseFile }: KeyOptions, terminal: Terminal): Promise<string> {
  return chosenPassword(passphraseFile, terminal);
}
