import type { FirmwareRoleDocument } from '@sallyport/model';
import { type FirmwareRole, type RoleHolders, type RootDraft, signDraft, viewDraft } from '@sallyport/trust/firmware';
import { Command, InvalidArgumentError, Option } from 'commander';
import { administers } from '../administration.ts';
import { makeOfflineKeys, openKeysListed } from '../firmware/offline-keys.ts';
import { draftFrom, readDraft, readPublicKey, writeDraft } from '../firmware/root-draft-file.ts';
import { invocation, type Surroundings } from '../invocation.ts';
import { countOption } from '../option-values.ts';
import { withExample, withOrganisation } from '../options.ts';
import type { Output } from '../output.ts';
import { confirmed } from '../passphrase.ts';
import { UsageError } from '../report-failure.ts';
import { chosenPassword } from '../secret-input.ts';

type OfflineRole = 'root' | 'targets';

interface Assigned<T> {
  readonly role: T;
  readonly value: string;
}

interface DraftOptions {
  readonly add: readonly Assigned<OfflineRole>[];
  readonly remove: readonly Assigned<OfflineRole>[];
  readonly threshold: readonly Assigned<OfflineRole>[];
  readonly exchange: readonly ('snapshot' | 'timestamp')[];
}

/** Exchanges the keys of a firmware repository: a new root role, signed by the thresholds of the old and the new keys. */
export function firmwareRootCommand(surroundings: Surroundings): Command {
  const { now, terminal } = surroundings;
  const command = new Command('root').description(
    'Exchange keys of the firmware repository: a next root role, signed by the old and the new keys away from the server',
  );

  const key = command
    .command('key <folder>')
    .description('Make a key for root or targets in a folder, encrypted; its public half goes to a file beside it')
    .addOption(new Option('--role <role>', 'what it is to speak for').choices(['root', 'targets']).default('root'))
    .addOption(new Option('--count <number>', 'how many keys').argParser(countOption).default(1))
    .option('--passphrase-file <file>', 'their passphrase; else from standard input');
  withExample(key, 'sallyport firmware root key ./next-keys --passphrase-file passphrase').action(
    async (folder: string, options: { role: OfflineRole; count: number; passphraseFile?: string }, self: Command) => {
      const { output } = invocation(surroundings, self);
      const passphrase = await chosenPassword(options.passphraseFile, terminal);
      const made = await makeOfflineKeys({ folder, passphrase, role: options.role, count: options.count });
      output.list(made, [
        { heading: 'role', value: (row) => row.role },
        { heading: 'key', value: (row) => row.keyId },
        { heading: 'public half', value: (row) => row.publicFile },
      ]);
    },
  );

  const draft = withOrganisation(command.command('draft <file>'))
    .description('Begin the next root role from the one in force; nobody has signed it yet')
    .addOption(assigned('--add <role=file>', 'a key that is to speak for root or targets: the file of its public half'))
    .addOption(assigned('--remove <role=key>', 'a key that is to speak no more: its id, or how the id begins'))
    .addOption(assigned('--threshold <role=number>', 'how many keys must sign'))
    .addOption(
      new Option('--exchange <role>', 'give a role another key of the server')
        .choices(['snapshot', 'timestamp'])
        .argParser((value: string, before: readonly string[] = []) => {
          if (value !== 'snapshot' && value !== 'timestamp') {
            throw new InvalidArgumentError('The server holds the keys of snapshot and timestamp.');
          }
          return [...before, value];
        })
        .default([]),
    );
  withExample(
    draft,
    'sallyport firmware root draft root-2.json --add root=next-keys/root-1f0c.public.json --remove root=9a44',
    'sallyport firmware root draft root-2.json --exchange timestamp',
  ).action(
    administers(surroundings, async ({ management, output, organisation }, file: string, options: DraftOptions) => {
      const change = {
        add: await Promise.all(options.add.map(async ({ role, value }) => ({ role, key: await readPublicKey(value) }))),
        remove: options.remove.map(({ role, value }) => ({ role, keyId: value })),
        threshold: options.threshold.map(({ role, value }) => ({ role, count: countOption(value) })),
        exchange: options.exchange,
      };
      const signing = await management.firmware.signing(await organisation(), options.exchange);
      const made = draftFrom(signing, change, now());
      await writeDraft(file, made, true);
      showDraft(output, made);
      output.note(
        `Wrote ${file}. Now the holders of the keys sign it: sallyport firmware root sign ${file} --keys FOLDER`,
      );
    }),
  );

  const show = withOrganisation(command.command('show [file]')).description(
    'Show what a draft changes and who has signed it, for which no server is asked; without a draft the keys in force',
  );
  const showKeys = administers(surroundings, async ({ management, output, organisation }) => {
    const { roles } = await management.firmware.describe(await organisation());
    const rows = roles.flatMap(({ role, keys, threshold }) => keys.map((keyId) => ({ role, keyId, threshold })));
    output.list(rows, [
      { heading: 'role', value: (row) => row.role },
      { heading: 'key', value: (row) => row.keyId },
      { heading: 'must sign', value: (row) => row.threshold },
    ]);
  });
  withExample(show, 'sallyport firmware root show root-2.json', 'sallyport firmware root show').action(
    async (file: string | undefined, options: unknown, self: Command) => {
      if (file === undefined) return showKeys(options, self);
      showDraft(invocation(surroundings, self).output, await readDraft(file));
    },
  );

  withExample(
    command
      .command('sign <file>')
      .description(
        'Add the signatures of those keys of a folder that the old or the new root role lists; no server is asked',
      )
      .requiredOption('--keys <folder>', 'folder with encrypted keys')
      .option('--passphrase-file <file>', 'their passphrase; else from standard input')
      .option('--yes', 'sign without being asked'),
    'sallyport firmware root sign root-2.json --keys ./firmware-keys --passphrase-file passphrase --yes',
  ).action(async (file: string, options: { keys: string; passphraseFile?: string; yes?: boolean }, self: Command) => {
    const { output } = invocation(surroundings, self);
    const before = await readDraft(file);
    if (!output.json) showDraft(output, before);
    await confirmed('Sign this?', options.yes, terminal);
    const passphrase = await chosenPassword(options.passphraseFile, terminal);
    const keys = await openKeysListed(options.keys, passphrase, `${before.previous}${before.next}`);
    if (keys.length === 0) {
      throw new UsageError(
        `No key in ${options.keys} is one of the old or the new root role.`,
        'Name the folder of a key that `sallyport firmware root show` lists.',
      );
    }
    const after = signDraft(before, keys);
    await writeDraft(file, after, false);
    showDraft(output, after);
  });

  withExample(
    withOrganisation(command.command('publish <file>')).description(
      'Put the next root role into force; root keys that lie on the server sign it as well',
    ),
    'sallyport firmware root publish root-2.json',
  ).action(
    administers(surroundings, async ({ management, output, organisation }, file: string) => {
      const { next, bootloader, targets } = await readDraft(file);
      const published = { root: next, bootloader, ...(targets !== undefined && { targets }) };
      const { roles, ...rest } = await management.firmware.replaceRoot(await organisation(), published);
      if (output.json) output.document({ roles, ...rest });
      else output.list(roles, ROLE_COLUMNS);
      output.note('Devices take it when they next look for firmware.');
    }),
  );
  return command;
}

const ROLE_COLUMNS = [
  { heading: 'role', value: (row: FirmwareRoleDocument) => row.role },
  { heading: 'keys', value: (row: FirmwareRoleDocument) => `${row.threshold} of ${row.keys.length}` },
  { heading: 'held', value: (row: FirmwareRoleDocument) => (row.signedHere ? 'by the server' : 'elsewhere') },
  { heading: 'version', value: (row: FirmwareRoleDocument) => row.version },
];

function showDraft(output: Output, draft: RootDraft): void {
  const { version, expires, changes, signatures } = viewDraft(draft);
  const shown = {
    version,
    expires: new Date(expires).toISOString(),
    changes: changes.map(({ role, before, after }) => changeOf(role, before, after)),
    signatures,
  };
  if (output.json) {
    output.document(shown);
    return;
  }
  const lines = shown.changes.flatMap(({ role, threshold, added, removed }) => [
    `${role}: ${threshold}`,
    ...added.map((keyId) => `  + ${keyId}`),
    ...removed.map((keyId) => `  - ${keyId}`),
  ]);
  const title = `Root version ${version}, holds until ${shown.expires}`;
  output.text([title, ...(lines.length === 0 ? ['No role changes hands.'] : lines), ''].join('\n'), shown);
  output.list(signatures, [
    { heading: 'signed by', value: (row) => row.by },
    { heading: 'signatures', value: (row) => row.signed },
    { heading: 'needed', value: (row) => row.needed },
  ]);
}

function changeOf(role: FirmwareRole, before: RoleHolders, after: RoleHolders) {
  const lacks =
    ({ keys }: RoleHolders) =>
    (key: RoleHolders['keys'][number]) =>
      !keys.some(({ keyId }) => keyId === key.keyId);
  return {
    role,
    threshold: `${before.threshold} of ${before.keys.length} → ${after.threshold} of ${after.keys.length}`,
    added: after.keys.filter(lacks(before)).map(({ keyId }) => keyId),
    removed: before.keys.filter(lacks(after)).map(({ keyId }) => keyId),
  };
}

function assigned(flags: string, description: string): Option {
  return new Option(flags, description)
    .argParser((text: string, before: readonly Assigned<OfflineRole>[] = []) => {
      const [, role, value] = /^(root|targets)=(.+)$/.exec(text) ?? [];
      if (role === undefined || value === undefined) throw new InvalidArgumentError('Write root=… or targets=….');
      return [...before, { role: role as OfflineRole, value }];
    })
    .default([]);
}
