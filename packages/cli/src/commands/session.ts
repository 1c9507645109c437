import type { SessionDocument } from '@sallyport/model';
import { Command } from 'commander';
import { administers, all } from '../administration.ts';
import type { Surroundings } from '../invocation.ts';
import { withExample, withOrganisation } from '../options.ts';
import { printable } from '../table.ts';

const COLUMNS = [
  { heading: 'client id', value: (row: SessionDocument) => row.clientId },
  { heading: 'principal', value: (row: SessionDocument) => row.principal },
  { heading: 'connected', value: (row: SessionDocument) => (row.connected ? (row.connectedAt ?? 'yes') : 'no') },
  { heading: 'assurance', value: (row: SessionDocument) => row.assurance },
  { heading: 'transport', value: (row: SessionDocument) => row.transport },
  { heading: 'address', value: (row: SessionDocument) => row.address },
  { heading: 'subscriptions', value: (row: SessionDocument) => row.subscriptions },
  { heading: 'queued', value: (row: SessionDocument) => row.queued },
];

export function sessionCommand(surroundings: Surroundings): Command {
  const command = new Command('session').description(
    'Sessions: who is connected, and what waits for those who are away',
  );
  withExample(
    withOrganisation(command.command('list')).description('Show all sessions, by client id'),
    'sallyport session list',
  ).action(
    administers(surroundings, async ({ management, output, organisation }) => {
      const name = await organisation();
      output.list(await all((page) => management.sessions.list(name, page)), COLUMNS);
    }),
  );
  withExample(
    withOrganisation(command.command('close <client-id>')).description(
      'End a session and its connection; it may connect again, unless you suspend the principal or revoke its credential',
    ),
    'sallyport session close d:demo:pump:pump-7',
  ).action(
    administers(surroundings, async ({ management, output, organisation }, clientId: string) => {
      await management.sessions.close(await organisation(), clientId);
      output.text(`Closed the session of ${printable(clientId)}.`, { closed: clientId });
    }),
  );
  return command;
}
