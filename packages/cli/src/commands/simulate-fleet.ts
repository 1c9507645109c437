import { type Command, Option } from 'commander';
import { connectAsOperator } from '../administration.ts';
import { invocation, type Surroundings } from '../invocation.ts';
import { countOption, durationOption } from '../option-values.ts';
import { withExample } from '../options.ts';
import { createProgress } from '../progress.ts';
import { UsageError } from '../report-failure.ts';
import { type FleetMember, type FleetSummary, type Percentiles, runFleet } from '../simulation/fleet.ts';
import { type ClientOptions, serverOfClient, withClientOptions } from './client-options.ts';

/** Ports that a machine has for connections to one address, with room for others. */
const MOST_DEVICES = 20_000;

interface FleetOptions extends ClientOptions {
  readonly devices: number;
  readonly ramp: number;
  readonly every: number;
  readonly duration: number;
  readonly keep?: boolean;
}

/** Many devices at once, for load. */
export function fleetCommand(command: Command, surroundings: Surroundings): void {
  const fleet = withClientOptions(command.command('fleet'))
    .description(
      'Stand in for many devices: registers them, connects them at a bounded rate, lets them send, sums up, and removes them',
    )
    .argument('<type>', 'ORGANISATION/TYPE')
    .addOption(new Option('--devices <count>', 'how many').argParser(countOption).default(100))
    .addOption(new Option('--ramp <count>', 'new connections per second').argParser(countOption).default(50))
    .addOption(
      new Option('--every <time>', 'pause between two readings of a device')
        .argParser(durationOption)
        .default(5_000, '5s'),
    )
    .addOption(
      new Option('--duration <time>', 'how long they send once all are there')
        .argParser(durationOption)
        .default(30_000, '30s'),
    )
    .option('--keep', 'leave the devices registered')
    .action(async (text: string, _options, self: Command) => {
      const call = invocation(surroundings, self);
      const { devices, ramp, every, duration, keep, ...rest } = self.optsWithGlobals<FleetOptions>();
      const [organisation = '', type = '', more] = text.split('/');
      if (organisation === '' || type === '' || more !== undefined) {
        throw new UsageError(`"${text}" names no device type.`, 'Write ORGANISATION/TYPE, for example demo/pump.');
      }
      if (devices > MOST_DEVICES) {
        throw new UsageError(
          `One program stands in for at most ${MOST_DEVICES} devices: each needs a port of this machine.`,
          'Run several, from several machines.',
        );
      }
      const { output, terminal } = call;
      const { stop } = terminal;
      const management = connectAsOperator(call.options);
      const progress = createProgress(terminal);
      const members: FleetMember[] = [];
      const prefix = `fleet-${Date.now().toString(36)}-`;
      try {
        await progress.step(`Registering ${devices} devices`, async (say) => {
          for (let index = 1; index <= devices && !stop.aborted; index++) {
            const name = { organisation, type, id: `${prefix}${index}` };
            const { token = '' } = await management.devices.create(name);
            members.push({ ...name, token });
            if (index % 100 === 0) say(`${index}`);
          }
        });
        const summary = await progress.step(
          'Running the fleet',
          (say) => runFleet({ server: serverOfClient(rest), members, ramp, every, duration, stop, say }),
          ({ connected, published }) => `${connected} devices published ${published} readings`,
        );
        if (output.json) output.document(summary);
        else output.document(readableSummary(summary));
      } finally {
        if (keep !== true) {
          await progress.step(`Removing ${members.length} devices`, async () => {
            let left = members.length;
            try {
              for (const { token: _, ...name } of members) {
                await management.devices.remove(name);
                left--;
              }
            } finally {
              if (left > 0) output.note(`${left} devices whose ids begin with ${prefix} are still registered.`);
            }
          });
        }
        management.close();
      }
    });
  withExample(fleet, 'sallyport simulate fleet demo/pump --devices 1000');
}

function readableSummary(summary: FleetSummary): object {
  const { connectLatency, publishLatency, ownDelay, refusals, tickets, ...counts } = summary;
  const times = ({ p50, p90, p99, max }: Percentiles) => `half within ${p50} ms, 90 % ${p90}, 99 % ${p99}, all ${max}`;
  const said = Object.entries(refusals).map(
    ([what, count]) => `${count} × ${what}${tickets[what] === undefined ? '' : ` (ticket ${tickets[what]})`}`,
  );
  return {
    ...counts,
    timeToConnect: times(connectLatency),
    timeToAcknowledge: times(publishLatency),
    ownDelay: times(ownDelay),
    refusals: said.length === 0 ? 'none' : said.join(', '),
  };
}
