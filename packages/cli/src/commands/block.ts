import type { BlockDocument } from '@sallyport/model';
import { Command } from 'commander';
import { administers, all } from '../administration.ts';
import type { Surroundings } from '../invocation.ts';
import { withExample } from '../options.ts';
import { UsageError } from '../report-failure.ts';

const COLUMNS = [
  { heading: 'network', value: (row: BlockDocument) => row.network },
  { heading: 'for', value: (row: BlockDocument) => row.principal ?? 'whoever is not known from there' },
  { heading: 'failures', value: (row: BlockDocument) => row.failures },
  { heading: 'until', value: (row: BlockDocument) => row.until },
];

export function blockCommand(surroundings: Surroundings): Command {
  const command = new Command('block').description('Addresses that have guessed too often and are blocked for a time');
  withExample(command.command('list').description('Show what is blocked'), 'sallyport block list').action(
    administers(surroundings, async ({ management, output }) => {
      output.list(await all((page) => management.blocks.list(page)), COLUMNS);
    }),
  );
  withExample(
    command
      .command('release [address]')
      .description('End blocks and forget the wrong attempts behind them')
      .option('--principal <name>', 'only those for this one, for example device:demo/pump/pump-7')
      .option('--all', 'all of them'),
    'sallyport block release 192.0.2.7',
    'sallyport block release --principal device:demo/pump/pump-7',
  ).action(
    administers(
      surroundings,
      async (
        { management, output },
        address: string | undefined,
        { principal, all: every }: { principal?: string; all?: boolean },
      ) => {
        if (address === undefined && principal === undefined && every !== true) {
          throw new UsageError('Nothing to release was named.', 'Name an address, --principal NAME, or --all.');
        }
        const answer = await management.blocks.release({
          ...(address !== undefined && { address }),
          ...(principal !== undefined && { principal }),
          ...(every === true && { all: true as const }),
        });
        output.text(`Released ${answer.released} ${answer.released === 1 ? 'block' : 'blocks'}.`, answer);
      },
    ),
  );
  return command;
}
