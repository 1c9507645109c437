import type { OrganisationDocument, SecurityLevel } from '@sallyport/model';
import { Command } from 'commander';
import { administers, all, demandedChange } from '../administration.ts';
import type { Surroundings } from '../invocation.ts';
import { securityOption, withExample } from '../options.ts';
import { state, stateCommands } from './state-commands.ts';

interface OrgOptions {
  readonly name?: string;
  readonly security?: SecurityLevel;
}

const COLUMNS = [
  { heading: 'id', value: (row: OrganisationDocument) => row.id },
  { heading: 'name', value: (row: OrganisationDocument) => row.name },
  { heading: 'security', value: (row: OrganisationDocument) => row.security },
  { heading: 'state', value: state },
];

export function orgCommand(surroundings: Surroundings): Command {
  const command = new Command('org').description('Organisations: the tenants, each with a namespace of its own');
  withExample(
    command
      .command('add <id>')
      .description('Make an organisation')
      .option('--name <name>', 'name for people')
      .addOption(securityOption()),
    'sallyport org add plant --name "Plant Nord"',
  ).action(
    administers(surroundings, async ({ management, output }, id: string, { name, security }: OrgOptions) => {
      const body = { id, ...(name !== undefined && { name }), ...(security !== undefined && { security }) };
      output.document(await management.organisations.create(body));
    }),
  );
  withExample(command.command('list').description('Show all organisations'), 'sallyport org list').action(
    administers(surroundings, async ({ management, output }) => {
      output.list(await all((page) => management.organisations.list(page)), COLUMNS);
    }),
  );
  withExample(command.command('show <id>').description('Show one organisation'), 'sallyport org show demo').action(
    administers(surroundings, async ({ management, output }, id: string) => {
      output.document(await management.organisations.get(id));
    }),
  );
  withExample(
    command
      .command('set <id>')
      .description('Change an organisation')
      .option('--name <name>', 'name for people')
      .addOption(securityOption()),
    'sallyport org set demo --security tls-certificate-or-token',
  ).action(
    administers(surroundings, async ({ management, output }, id: string, { name, security }: OrgOptions) => {
      const body = { ...(name !== undefined && { name }), ...(security !== undefined && { security }) };
      output.document(await management.organisations.update(id, demandedChange('sallyport org set', body)));
    }),
  );
  stateCommands(command, surroundings, {
    noun: 'organisation',
    argument: 'id',
    example: 'demo',
    calls: (management) => management.organisations,
    named: async (_, id) => id,
  });
  return command;
}
