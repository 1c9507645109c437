import { randomBytes } from 'node:crypto';
import type { ApplicationName } from '@sallyport/application/management';
import type { ApplicationDocument } from '@sallyport/model';
import { Command } from 'commander';
import { type Administration, administers, all } from '../administration.ts';
import type { Surroundings } from '../invocation.ts';
import { withExample, withOrganisation } from '../options.ts';
import { chosenSecret, type SecretOptions, withSecretOptions } from '../secret-input.ts';
import { showOnce, withSaveToken } from '../shown-once.ts';
import { applicationReference } from '../thing-names.ts';
import { credentialCommands } from './credential-commands.ts';
import { deskCommand } from './desk.ts';
import { identityCommands } from './identity-commands.ts';
import { state, stateCommands } from './state-commands.ts';

interface ApplicationOptions extends SecretOptions {
  readonly key?: string;
  readonly role?: string;
  readonly description?: string;
  readonly expiresIn?: string;
  readonly saveToken?: string;
}

const ROLES =
  'what the built-in policy permits to it: standard, operations, backend-trusted, data-processor, visualization or device';

const COLUMNS = [
  { heading: 'id', value: (row: ApplicationDocument) => row.id },
  { heading: 'key', value: (row: ApplicationDocument) => row.key },
  { heading: 'role', value: (row: ApplicationDocument) => row.role },
  { heading: 'client id', value: (row: ApplicationDocument) => row.clientId },
  { heading: 'state', value: state },
];

export function applicationCommand(surroundings: Surroundings): Command {
  const command = new Command('application').description('Applications: programs that read events and send commands');
  // The noun without a verb is the application itself, at work.
  command.addCommand(deskCommand(surroundings, 'sallyport application desk'), { isDefault: true });
  const add = withOrganisation(command.command('add [id]'))
    .description('Register an application; without an id one is generated')
    .option('--key <key>', 'its user name of CONNECT; generated if left out')
    .option('--role <role>', ROLES)
    .option('--description <text>', 'free text')
    .option('--expires-in <time>', 'end of the life of its token, for example 90d; never if left out');
  withExample(
    withSaveToken(withSecretOptions(add)),
    'sallyport application add dashboard --save-token dashboard.token',
  ).action(
    administers(surroundings, async (administration, text: string | undefined, options: ApplicationOptions) => {
      const { management, output, terminal } = administration;
      const { organisation, id } = applicationReference(text ?? `app-${randomBytes(4).toString('hex')}`);
      const chosen = await chosenSecret(options, terminal);
      const { application, token } = await management.applications.create({
        organisation: await administration.organisation(organisation),
        id,
        ...(options.key !== undefined && { key: options.key }),
        ...(options.role !== undefined && { role: options.role }),
        ...(options.description !== undefined && { description: options.description }),
        ...(options.expiresIn !== undefined && { expiresIn: options.expiresIn }),
        ...(chosen !== undefined && { token: chosen }),
      });
      await showOnce(output, application, chosen === undefined ? token : undefined, options.saveToken);
    }),
  );
  withExample(
    withOrganisation(command.command('list')).description('Show all applications'),
    'sallyport application list',
  ).action(
    administers(surroundings, async ({ management, output, organisation }) => {
      const org = await organisation();
      output.list(await all((page) => management.applications.list(org, page)), COLUMNS);
    }),
  );
  withExample(
    withOrganisation(command.command('show <id>')).description('Show one'),
    'sallyport application show desk',
  ).action(
    administers(surroundings, async (administration, text: string) => {
      const { management, output } = administration;
      output.document(await management.applications.get(await named(administration, text)));
    }),
  );
  const set = withOrganisation(command.command('set <id>'))
    .description('Change an application')
    .option('--role <role>', ROLES)
    .option('--description <text>', 'free text; empty clears it');
  withExample(set, 'sallyport application set desk --description "front office"').action(
    administers(surroundings, async (administration, text: string, { role, description }: ApplicationOptions) => {
      const change = {
        ...(role !== undefined && { role }),
        ...(description !== undefined && { description: description === '' ? null : description }),
      };
      const name = await named(administration, text);
      administration.output.document(await administration.management.applications.update(name, change));
    }),
  );
  const holder = { noun: 'application', argument: 'id', example: 'desk', named, naming: withOrganisation };
  stateCommands(command, surroundings, { ...holder, calls: (management) => management.applications });
  credentialCommands(command, surroundings, {
    ...holder,
    mayChoose: true,
    calls: (management) => management.applications.credentials,
  });
  identityCommands(command, surroundings, { noun: 'application', argument: 'id', example: 'desk' });
  return command;
}

async function named(administration: Administration, text: string): Promise<ApplicationName> {
  const { organisation, id } = applicationReference(text);
  return { organisation: await administration.organisation(organisation), id };
}
