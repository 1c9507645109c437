import type { RolloutDeviceDocument, RolloutDocument } from '@sallyport/model';
import { Command, InvalidArgumentError, Option } from 'commander';
import { type Administration, administers, all } from '../administration.ts';
import type { Surroundings } from '../invocation.ts';
import { withExample, withOrganisation } from '../options.ts';
import type { Output } from '../output.ts';
import { UsageError } from '../report-failure.ts';
import { printable } from '../table.ts';
import { releaseNamed } from './release-name.ts';

const COLUMNS = [
  { heading: 'id', value: (row: RolloutDocument) => row.id },
  { heading: 'release', value: (row: RolloutDocument) => `${row.type}/${row.version}` },
  { heading: 'share', value: (row: RolloutDocument) => `${row.percent} %` },
  { heading: 'state', value: (row: RolloutDocument) => row.state },
  { heading: 'devices', value: (row: RolloutDocument) => total(row) },
  { heading: 'succeeded', value: (row: RolloutDocument) => row.devices.succeeded },
  { heading: 'failed', value: (row: RolloutDocument) => row.devices.failed },
  { heading: 'cause', value: (row: RolloutDocument) => row.cause },
];

const DEVICE_COLUMNS = [
  { heading: 'device', value: (row: RolloutDeviceDocument) => row.device },
  { heading: 'state', value: (row: RolloutDeviceDocument) => row.state },
  { heading: 'since', value: (row: RolloutDeviceDocument) => row.updatedAt },
  { heading: 'detail', value: (row: RolloutDeviceDocument) => printable(row.detail ?? '') },
];

export function rolloutCommand(surroundings: Surroundings): Command {
  const command = new Command('rollout').description('Bring a release to the devices of its type, share by share');

  const start = withOrganisation(command.command('start <release>'))
    .description(
      'Offer a release (TYPE/VERSION) to a share of its type: connected devices at once, the others when they connect',
    )
    .addOption(new Option('--percent <share>', 'share of the devices').argParser(percentOption).default(100))
    .addOption(
      new Option('--halt-above <percent>', 'halt when more than this share of those that reported failed')
        .argParser(percentOption)
        .default(20),
    );
  withExample(start, 'sallyport firmware rollout start pump/1.2.0 --percent 10').action(
    administers(
      surroundings,
      async ({ management, output, organisation }, text: string, options: { percent: number; haltAbove: number }) => {
        const { percent, haltAbove } = options;
        const wanted = { ...releaseNamed(text), percent, haltAbove };
        showRollout(output, await management.rollouts.start(await organisation(), wanted));
      },
    ),
  );

  const status = withOrganisation(command.command('status [id]'))
    .description('Show all rollouts, or one with its devices')
    .option('--watch', 'show each change until all devices of the share have reported');
  withExample(status, 'sallyport firmware rollout status', 'sallyport firmware rollout status R7K2QX --watch').action(
    administers(surroundings, async (administration, id: string | undefined, { watch }: { watch?: boolean }) => {
      const { management, output, organisation } = administration;
      const name = await organisation();
      if (watch) return watchRollout(administration, name, id);
      if (id === undefined) {
        return output.list(await all((page) => management.rollouts.list(name, page)), COLUMNS);
      }
      const rollout = await management.rollouts.get(name, id);
      const devices = await all((page) => management.rollouts.devices(name, id, page));
      if (output.json) return output.document({ ...rollout, deviceList: devices });
      output.text(progressText(rollout), rollout);
      output.list(devices, DEVICE_COLUMNS);
    }),
  );

  const simple = [
    ['halt', 'Offer the release to no further device; those that install it go on', 'halt'],
    ['abort', 'Give a rollout up; those that install it go on', 'abort'],
  ] as const;
  for (const [verb, description, call] of simple) {
    withExample(
      withOrganisation(command.command(`${verb} <id>`)).description(description),
      `sallyport firmware rollout ${verb} R7K2QX`,
    ).action(
      administers(surroundings, async ({ management, output, organisation }, id: string) => {
        showRollout(output, await management.rollouts[call](await organisation(), id));
      }),
    );
  }

  const resume = withOrganisation(command.command('resume <id>'))
    .description('Go on, to a larger share if one is named; devices that failed are offered it again')
    .addOption(new Option('--percent <share>', 'share of the devices').argParser(percentOption));
  withExample(resume, 'sallyport firmware rollout resume R7K2QX --percent 50').action(
    administers(
      surroundings,
      async ({ management, output, organisation }, id: string, { percent }: { percent?: number }) => {
        showRollout(output, await management.rollouts.resume(await organisation(), id, percent));
      },
    ),
  );
  return command;
}

const WATCH_PAUSE = 1_000;

async function watchRollout(
  { management, output, terminal }: Administration,
  organisation: string,
  id: string | undefined,
): Promise<void> {
  if (id === undefined) throw new UsageError('Which rollout is to be watched is not said.', 'Name its id.');
  let shown = '';
  for (;;) {
    const rollout = await management.rollouts.get(organisation, id);
    const text = progressText(rollout);
    if (text !== shown) output.line(text, rollout);
    shown = text;
    if (rollout.state !== 'running' || terminal.stop.aborted) return;
    await new Promise((resolve) => setTimeout(resolve, WATCH_PAUSE));
  }
}

function showRollout(output: Output, rollout: RolloutDocument): void {
  output.text(progressText(rollout), rollout);
}

/** One line: how far it is. */
function progressText(rollout: RolloutDocument): string {
  const { devices } = rollout;
  const under = devices.offered + devices.downloading + devices.downloaded + devices.installing;
  const cause = rollout.cause === undefined ? '' : ` (${rollout.cause})`;
  return `${rollout.id}: ${rollout.type}/${rollout.version} to ${rollout.percent} % of the devices is ${rollout.state}${cause}: ${devices.succeeded} succeeded, ${devices.failed} failed, ${under} under way, ${devices.waiting} waiting, of ${total(rollout)}`;
}

function total({ devices }: RolloutDocument): number {
  return Object.values(devices).reduce((sum, count) => sum + count, 0);
}

function percentOption(text: string): number {
  const value = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > 100) throw new InvalidArgumentError('Write a whole number from 1 to 100.');
  return value;
}
