import type { AlertChannelDocument, AlertTestDocument } from '@sallyport/model';
import { Command } from 'commander';
import { administers } from '../administration.ts';
import type { Surroundings } from '../invocation.ts';
import { withExample } from '../options.ts';
import { NegativeAnswer } from '../report-failure.ts';
import { printable } from '../table.ts';

const STANDING = [
  { heading: 'way', value: (row: AlertChannelDocument) => row.channel },
  { heading: 'from', value: (row: AlertChannelDocument) => row.severity },
  { heading: 'state', value: (row: AlertChannelDocument) => row.state },
  { heading: 'waiting', value: (row: AlertChannelDocument) => row.waiting },
  { heading: 'delivered', value: (row: AlertChannelDocument) => row.deliveredAt ?? '-' },
  { heading: 'problem', value: (row: AlertChannelDocument) => printable(row.problem ?? '') },
];
const TESTED = [
  { heading: 'way', value: (row: AlertTestDocument) => row.channel },
  { heading: 'delivered', value: (row: AlertTestDocument) => (row.delivered ? 'yes' : 'no') },
  { heading: 'problem', value: (row: AlertTestDocument) => printable(row.problem ?? '') },
];

/** Commands about how incidents are told. */
export function alertCommand(surroundings: Surroundings): Command {
  const command = new Command('alert').description('Ways by which incidents are told: mail, web hook and MQTT');
  withExample(
    command.command('list').description('Show the ways of the configuration and how they stand'),
    'sallyport incident alert list',
  ).action(
    administers(surroundings, async ({ management, output }) => {
      output.list((await management.incidents.alerts()).items, STANDING);
    }),
  );
  withExample(
    command.command('test').description('Send a test by every way; fails unless each was taken'),
    'sallyport incident alert test',
  ).action(
    administers(surroundings, async ({ management, output }) => {
      const { items } = await management.incidents.testAlerts();
      output.list(items, TESTED);
      if (items.some(({ delivered }) => !delivered)) throw new NegativeAnswer();
    }),
  );
  return command;
}
