import { connectDevice } from '@sallyport/device';
import { Command, Option } from 'commander';
import { invocation, type Surroundings } from '../invocation.ts';
import { countOption, durationOption } from '../option-values.ts';
import { withExample } from '../options.ts';
import { UsageError } from '../report-failure.ts';
import { simulate } from '../simulated-device.ts';
import { printable } from '../table.ts';
import { deviceReference } from '../thing-names.ts';
import { type ClientOptions, serverOfClient, tokenOfClient, withClientOptions } from './client-options.ts';

interface SimulateOptions extends ClientOptions {
  readonly every: number;
  readonly count?: number;
}

export function simulateCommand(surroundings: Surroundings): Command {
  const command = new Command('simulate').description('Stand in for a device');
  const device = withClientOptions(command.command('device'))
    .description('Send acceleration, motion and position as a device, and show the commands that come')
    .argument('<device>', 'ORGANISATION/TYPE/ID')
    .addOption(
      new Option('--every <time>', 'pause between two readings').argParser(durationOption).default(5_000, '5s'),
    )
    .addOption(new Option('--count <readings>', 'end after so many').argParser(countOption))
    .action(async (name: string, _options, self: Command) => {
      const call = invocation(surroundings, self);
      const { output, terminal } = call;
      const options = self.optsWithGlobals<SimulateOptions>();
      const { organisation, type, id } = deviceReference(name);
      if (organisation === undefined || id === undefined) {
        throw new UsageError(
          `"${name}" does not name a device wholly.`,
          'Write ORGANISATION/TYPE/ID, for example demo/pump/pump-7.',
        );
      }
      const token = await tokenOfClient(call, options, id);
      const device = await connectDevice({ ...serverOfClient(options), organisation, type, id, token });
      output.note(`Connected as ${device.clientId}. Ctrl-C ends it.`);
      device.on('problem', (failure) => output.note(failure.message));
      device.on('offline', () => output.note('The connection broke; trying again.'));
      device.on('online', () => output.note('Connected again.'));
      try {
        await simulate({
          device,
          every: options.every,
          ...(options.count === undefined ? {} : { count: options.count }),
          stop: terminal.stop,
          onReading: (reading) => output.line(`sent      ${JSON.stringify(reading)}`, { sent: reading }),
          onCommand: ({ name, payload }) =>
            output.line(`received  ${printable(name)} ${printable(JSON.stringify(payload))}`, {
              received: { name, payload },
            }),
          onProblem: (failure) => output.note(failure.message),
        });
      } finally {
        await device.close();
      }
    });
  withExample(device, 'sallyport simulate device demo/pump/pump-7 --token-file pump-7.token');
  return command;
}
