import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { type IdentityFile, provisionIdentity, readIdentity, type SigningAlgorithm } from '@sallyport/application';
import { Failure, type IdentityDocument } from '@sallyport/model';
import { type Command, Option } from 'commander';
import { type Administration, administers, all } from '../administration.ts';
import type { Surroundings } from '../invocation.ts';
import { withExample, withOrganisation } from '../options.ts';
import { writeNewFile } from '../pem-file.ts';
import { applicationNamed, principalNamed } from '../principal-named.ts';

interface IdentityNoun {
  readonly noun: 'application' | 'device';
  readonly argument: string;
  readonly example: string;
}

interface CreateOptions {
  readonly out?: string;
  readonly p256?: boolean;
  readonly expiresIn?: string;
}

interface RotateOptions {
  readonly file?: string;
  readonly overlap: string;
  readonly expiresIn?: string;
}

const COLUMNS = [
  { heading: 'key', value: (row: IdentityDocument) => row.keyId },
  { heading: 'algorithm', value: (row: IdentityDocument) => row.algorithm },
  { heading: 'from', value: (row: IdentityDocument) => row.notBefore },
  { heading: 'ends', value: (row: IdentityDocument) => row.notAfter },
  {
    heading: 'revoked',
    value: ({ revokedAt, revokedBy }: IdentityDocument) =>
      revokedAt === undefined ? undefined : `${revokedAt} by ${revokedBy}`,
  },
];

/** Adds `identity create|show|rotate|revoke`: the keys by which applications and devices know each other. */
export function identityCommands(
  parent: Command,
  surroundings: Surroundings,
  { noun, argument, example }: IdentityNoun,
): void {
  const named = (administration: Administration, text: string) =>
    noun === 'application' ? applicationNamed(administration, text) : principalNamed(administration, text);
  const command = parent
    .command('identity')
    .description('Keys for signed commands and sealed payloads, with the statement of this server about them');

  withExample(
    withOrganisation(command.command(`create <${argument}>`))
      .description('Make keys here, have them stated, and write both into a file that only you can read')
      .option('--out <file>', 'the new file; ID.identity.json if left out')
      .option('--p256', 'P-256 for signatures, for hardware that has no Ed25519')
      .option('--expires-in <time>', 'end of the keys; 365d if left out'),
    `sallyport ${noun} identity create ${example}`,
  ).action(
    administers(surroundings, async (administration, text: string, options: CreateOptions) => {
      const { management, output } = administration;
      const { organisation, principal, id } = await named(administration, text);
      const path = options.out ?? `${id}.identity.json`;
      // Before anything is on record: a file that is there holds keys that somebody may need.
      await writeNewFile(path, '', { secret: true });
      const { file, document } = await provisionIdentity(management, {
        organisation,
        principal,
        ...algorithmOf(options.p256 ? 'ES256' : 'EdDSA'),
        ...(options.expiresIn === undefined ? {} : { expiresIn: options.expiresIn }),
      }).catch(async (failure: unknown) => {
        await rm(path, { force: true });
        throw failure;
      });
      await writeFile(path, written(file));
      output.document({ ...shown(document), identityFile: path });
    }),
  );

  withExample(
    withOrganisation(command.command(`show <${argument}>`)).description('Show its keys, the newest first'),
    `sallyport ${noun} identity show ${example}`,
  ).action(
    administers(surroundings, async (administration, text: string) => {
      const { management, output } = administration;
      const { organisation, principal } = await named(administration, text);
      output.list(await all((page) => management.identities.list(organisation, { principal, ...page })), COLUMNS);
    }),
  );

  withExample(
    withOrganisation(command.command(`rotate <${argument}>`))
      .description('Make new keys; the old ones go on for the time of the overlap')
      .option('--file <file>', 'the file of the identity, which is replaced; ID.identity.json if left out')
      .addOption(new Option('--overlap <time>', 'the old keys end after this time').default('7d'))
      .option('--expires-in <time>', 'end of the new keys; 365d if left out'),
    `sallyport ${noun} identity rotate ${example} --overlap 7d`,
  ).action(
    administers(surroundings, async (administration, text: string, options: RotateOptions) => {
      const { management, output } = administration;
      const { organisation, principal, id } = await named(administration, text);
      const path = options.file ?? `${id}.identity.json`;
      const previous = await identityIn(path);
      const { file, document } = await provisionIdentity(management, {
        organisation,
        principal,
        previous,
        overlap: options.overlap,
        ...algorithmOf(previous.keys[0]?.signingKey.kty === 'EC' ? 'ES256' : 'EdDSA'),
        ...(options.expiresIn === undefined ? {} : { expiresIn: options.expiresIn }),
      });
      await writeNewFile(`${path}.new`, written(file), { secret: true });
      await rename(`${path}.new`, path);
      output.document({ ...shown(document), identityFile: path });
    }),
  );

  withExample(
    withOrganisation(command.command(`revoke <${argument}> <key>`)).description(
      'Revoke a key; devices and applications learn it with the next statement about the same holder',
    ),
    `sallyport ${noun} identity revoke ${example} 3q2-7wAAAAAAAAAAAAAAAA`,
  ).action(
    administers(surroundings, async (administration, text: string, key: string) => {
      const { management, output } = administration;
      const { organisation, principal } = await named(administration, text);
      const found = await management.identities.get(organisation, key);
      if (found.principal !== principal) {
        throw new Failure('not_found', `Key ${key} is not one of ${principal}, but of ${found.principal}.`);
      }
      output.document(shown(await management.identities.revoke(organisation, key)));
    }),
  );
}

function algorithmOf(algorithm: SigningAlgorithm) {
  return { algorithm } as const;
}

/** Without the statements, which are for programs; they are in the file. */
function shown({ cose: _, jws: __, signingKey: ___, sealingKey: ____, ...document }: IdentityDocument): object {
  return document;
}

function written(file: IdentityFile): string {
  return `${JSON.stringify(file, undefined, 2)}\n`;
}

async function identityIn(path: string): Promise<IdentityFile> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new Failure('invalid_request', `The identity file ${path} cannot be read.`, {
      cause,
      cure: 'Name it with --file, or make an identity with `identity create`.',
    });
  }
  await readIdentity(text);
  return JSON.parse(text) as IdentityFile;
}
