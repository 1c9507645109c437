import type { RefusalFilter } from '@sallyport/application/management';
import type { Refusal } from '@sallyport/model';
import { Command, Option } from 'commander';
import { administers } from '../administration.ts';
import type { Surroundings } from '../invocation.ts';
import { countOption } from '../option-values.ts';
import { withExample } from '../options.ts';

interface RefusalOptions {
  readonly org?: string;
  readonly principal?: string;
  readonly clientId?: string;
  readonly address?: string;
  readonly limit: number;
}

const COLUMNS = [
  { heading: 'ticket', value: (row: Refusal) => row.ticket },
  { heading: 'last', value: (row: Refusal) => row.lastAt },
  { heading: 'count', value: (row: Refusal) => row.count },
  { heading: 'who', value: (row: Refusal) => row.principal ?? row.clientId ?? row.address },
  { heading: 'action', value: (row: Refusal) => row.action },
  { heading: 'resource', value: (row: Refusal) => row.resource },
  { heading: 'reason', value: (row: Refusal) => row.reason },
];

export function refusalsCommand(surroundings: Surroundings): Command {
  const command = new Command('refusals')
    .description('What was refused lately, newest first; explain TICKET tells more')
    .option('--org <id>', 'only this organisation')
    .option('--principal <name>', 'only this principal')
    .option('--client-id <id>', 'only this client id')
    .option('--address <address>', 'only from this address')
    .addOption(new Option('--limit <rows>', 'at most so many').argParser(countOption).default(20))
    .action(
      administers(surroundings, async ({ management, output }, options: RefusalOptions) => {
        const { org, principal, clientId, address, limit } = options;
        const given = { organisation: org, principal, clientId, address };
        const filter: RefusalFilter = Object.fromEntries(
          Object.entries(given).filter(([, value]) => value !== undefined),
        );
        const { items } = await management.refusals({ ...filter, limit: Math.min(limit, 500) });
        output.list(items, COLUMNS);
      }),
    );
  return withExample(command, 'sallyport refusals --client-id d:demo:pump:pump-7');
}
