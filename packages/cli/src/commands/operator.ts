import { OPERATOR_ROLES, type OperatorDocument, type OperatorRole } from '@sallyport/model';
import { Command, Option } from 'commander';
import { administers, all } from '../administration.ts';
import type { Surroundings } from '../invocation.ts';
import { withExample } from '../options.ts';
import { showOnce, withSaveToken } from '../shown-once.ts';
import { credentialCommands } from './credential-commands.ts';
import { state, stateCommands } from './state-commands.ts';

interface OperatorOptions {
  readonly role: OperatorRole;
  readonly expiresIn?: string;
  readonly saveToken?: string;
}

const COLUMNS = [
  { heading: 'id', value: (row: OperatorDocument) => row.id },
  { heading: 'role', value: (row: OperatorDocument) => row.role },
  { heading: 'created', value: (row: OperatorDocument) => row.createdAt },
  { heading: 'state', value: state },
];

export function operatorCommand(surroundings: Surroundings): Command {
  const command = new Command('operator').description('Operators: the people who run the platform');
  const role = () => new Option('--role <role>', 'what the operator may do').choices([...OPERATOR_ROLES]);
  const add = command
    .command('add <id>')
    .description('Register an operator; the token is always generated')
    .addOption(role().default('reader'))
    .option('--expires-in <time>', 'end of the life of the token, for example 90d; never if left out');
  withExample(withSaveToken(add), 'sallyport operator add ann --role operator --save-token ann.token').action(
    administers(surroundings, async ({ management, output }, id: string, options: OperatorOptions) => {
      const { operator, token } = await management.operators.create({
        id,
        role: options.role,
        ...(options.expiresIn !== undefined && { expiresIn: options.expiresIn }),
      });
      await showOnce(output, operator, token, options.saveToken);
    }),
  );
  withExample(command.command('list').description('Show all operators'), 'sallyport operator list').action(
    administers(surroundings, async ({ management, output }) => {
      output.list(await all((page) => management.operators.list(page)), COLUMNS);
    }),
  );
  withExample(
    command.command('show [id]').description('Show one; yourself if left out'),
    'sallyport operator show',
  ).action(
    administers(surroundings, async ({ management, output }, id: string | undefined) => {
      output.document(id === undefined ? await management.whoAmI() : await management.operators.get(id));
    }),
  );
  const set = command.command('set <id>').description('Change an operator').addOption(role().makeOptionMandatory());
  withExample(set, 'sallyport operator set ann --role administrator').action(
    administers(surroundings, async ({ management, output }, id: string, options: OperatorOptions) => {
      output.document(await management.operators.update(id, { role: options.role }));
    }),
  );
  const holder = { noun: 'operator', argument: 'id', example: 'ann', named: async (_: unknown, id: string) => id };
  stateCommands(command, surroundings, { ...holder, calls: (management) => management.operators });
  credentialCommands(command, surroundings, {
    ...holder,
    mayChoose: false,
    calls: (management) => management.operators.credentials,
  });
  return command;
}
