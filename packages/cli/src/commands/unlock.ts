import { setTimeout as pause } from 'node:timers/promises';
import {
  clientIdOf,
  Failure,
  type PendingUnlockDocument,
  parsePrincipal,
  type UnlockCodeDocument,
} from '@sallyport/model';
import { Command } from 'commander';
import { type Administration, administers } from '../administration.ts';
import type { Surroundings } from '../invocation.ts';
import { withExample, withOrganisation } from '../options.ts';
import { UsageError } from '../report-failure.ts';
import { printable } from '../table.ts';
import { deviceReference } from '../thing-names.ts';

const COLUMNS = [
  { heading: 'client id', value: (row: PendingUnlockDocument) => row.clientId },
  { heading: 'address', value: (row: PendingUnlockDocument) => row.address },
  { heading: 'since', value: (row: PendingUnlockDocument) => row.since },
  { heading: 'asked', value: (row: PendingUnlockDocument) => row.requestedAt ?? 'not yet' },
  { heading: 'channels', value: (row: PendingUnlockDocument) => row.channels.join(', ') || '-' },
  { heading: 'code good until', value: (row: PendingUnlockDocument) => row.codeExpiresAt ?? '-' },
  { heading: 'tries left', value: (row: PendingUnlockDocument) => row.attemptsLeft },
];

/** Between two looks at who asks for a code; milliseconds. */
const LOOK_AGAIN = 1_000;

export function unlockCommand(surroundings: Surroundings): Command {
  const command = new Command('unlock').description('One-time codes: devices that wait until somebody enters one');
  withExample(
    withOrganisation(command.command('list')).description('Show the sessions that wait for their one-time code'),
    'sallyport unlock list',
  ).action(
    administers(surroundings, async ({ management, output, organisation }) => {
      output.list((await management.unlocks.list(await organisation())).items, COLUMNS);
    }),
  );
  withExample(
    withOrganisation(command.command('code <device>')).description(
      'Make a code for a device that waits, to be told to the person who stands at it; the code before is void',
    ),
    'sallyport unlock code pump/pump-7',
  ).action(
    administers(surroundings, async (administration, text: string) => {
      const { management, output } = administration;
      const { organisation, clientId } = await waiting(administration, text);
      output.document(await management.unlocks.makeCode(organisation, clientId));
    }),
  );
  withExample(
    withOrganisation(command.command('codes'))
      .description('Make and show codes for the devices that have asked for one by the channel console')
      .option('--watch', 'go on until Ctrl-C, and show a code whenever a device asks for one'),
    'sallyport unlock codes --watch',
  ).action(
    administers(
      surroundings,
      async ({ management, output, organisation, terminal }, { watch }: { watch?: boolean }) => {
        const org = await organisation();
        const served = new Set<string>();
        for (;;) {
          const { items } = await management.unlocks.list(org);
          for (const asking of items.filter((each) => wantsCode(each) && !served.has(keyOf(each)))) {
            served.add(keyOf(asking));
            try {
              const made = await management.unlocks.makeCode(org, asking.clientId);
              output.line(lineOf(made, asking), made);
            } catch (problem) {
              // It may have gone between two calls; that is no reason to stop watching.
              if (!watch || !(problem instanceof Failure && problem.code === 'not_found')) throw problem;
            }
          }
          if (!watch || terminal.stop.aborted) return;
          await pause(LOOK_AGAIN, undefined, { signal: terminal.stop }).catch(() => {});
        }
      },
    ),
  );
  return command;
}

function wantsCode({ requestedAt, codeExpiresAt, channels }: PendingUnlockDocument): boolean {
  return requestedAt !== undefined && codeExpiresAt === undefined && channels.includes('console');
}

/** One request of one session. */
function keyOf({ clientId, since, requestedAt }: PendingUnlockDocument): string {
  return `${clientId} ${since} ${requestedAt}`;
}

function lineOf({ code, principal, expiresAt }: UnlockCodeDocument, { address }: PendingUnlockDocument): string {
  return `${code}  for ${printable(principal)} at ${printable(address)}, good until ${expiresAt}`;
}

async function waiting(administration: Administration, text: string) {
  const { organisation: named, type, id } = deviceReference(text);
  if (id === undefined)
    throw new UsageError(`"${text}" names no single device.`, 'Write TYPE/ID, for example pump/pump-7.');
  const organisation = await administration.organisation(named);
  const found = await administration.management.devices.get({ organisation, type, id });
  const principal = parsePrincipal(found.principal);
  return { organisation, clientId: principal.ok ? clientIdOf(principal.value) : found.clientId };
}
