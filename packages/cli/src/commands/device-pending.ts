import type { PendingDeviceDocument } from '@sallyport/model';
import { Command } from 'commander';
import { type Administration, administers, all } from '../administration.ts';
import type { Surroundings } from '../invocation.ts';
import { withExample, withOrganisation } from '../options.ts';
import { UsageError } from '../report-failure.ts';
import { deviceReference } from '../thing-names.ts';

const COLUMNS = [
  { heading: 'device', value: ({ type, id }: PendingDeviceDocument) => `${type}/${id}` },
  { heading: 'authority', value: (row: PendingDeviceDocument) => row.authority.slice(0, 16) },
  { heading: 'address', value: (row: PendingDeviceDocument) => row.address },
  { heading: 'first', value: (row: PendingDeviceDocument) => row.firstAt },
  { heading: 'last', value: (row: PendingDeviceDocument) => row.lastAt },
];

/** `sallyport device pending`: unknown devices that wait for approval. */
export function pendingCommand(surroundings: Surroundings): Command {
  const command = new Command('pending').description('Unknown devices with a certificate of an authority in review');
  withExample(
    withOrganisation(command.command('list')).description('Show who waits'),
    'sallyport device pending list',
  ).action(
    administers(surroundings, async ({ management, output, organisation }) => {
      const name = await organisation();
      output.list(await all((page) => management.enrolment.listPending(name, page)), COLUMNS);
    }),
  );
  withExample(
    withOrganisation(command.command('approve <device>')).description('Register it; its certificate proves it'),
    'sallyport device pending approve pump/pump-9',
  ).action(
    administers(surroundings, async (administration, text: string) => {
      const name = await named(administration, text);
      administration.output.document(await administration.management.enrolment.approve(name));
    }),
  );
  withExample(
    withOrganisation(command.command('reject <device>')).description('Take it off the list'),
    'sallyport device pending reject pump/pump-9',
  ).action(
    administers(surroundings, async (administration, text: string) => {
      await administration.management.enrolment.reject(await named(administration, text));
      administration.output.text(`Rejected ${text}.`, { rejected: text });
    }),
  );
  return command;
}

async function named(administration: Administration, text: string) {
  const { organisation, type, id } = deviceReference(text);
  if (id === undefined) throw new UsageError(`"${text}" names no single device.`, 'Write TYPE/ID.');
  return { organisation: await administration.organisation(organisation), type, id };
}
