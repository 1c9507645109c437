import type { Configuration } from '@sallyport/server';
import { Command } from 'commander';
import { hostFor } from '../data-directory.ts';
import { demonstrate } from '../demonstration/demonstrate.ts';
import { invocation, type Surroundings } from '../invocation.ts';
import { withExample } from '../options.ts';
import { UsageError } from '../report-failure.ts';
import { configurationOf, withServerOptions } from '../server-options.ts';

interface StartOptions {
  readonly demonstration?: boolean;
  readonly once?: boolean;
}

export function startCommand(surroundings: Surroundings): Command {
  const command = withServerOptions(new Command('start'))
    .description('Run the server until Ctrl-C; makes its data directory if there is none')
    .option(
      '--demonstration',
      'first show the platform at work, with a device and an application of the organisation demo',
    )
    .option('--once', 'with --demonstration: end after it; the exit code says whether all of it held')
    .action(async ({ demonstration, once }: StartOptions, self: Command) => {
      if (once && !demonstration) throw new UsageError('--once is for the demonstration.', 'Add --demonstration.');
      if (demonstration) return demonstrate(invocation(surroundings, self), self, once === true);
      await serve(surroundings, self, await configurationOf(self));
    });
  return withExample(command, 'sallyport start --data-dir /var/lib/sallyport --address 0.0.0.0');
}

export function demonstrateCommand(surroundings: Surroundings): Command {
  const command = withServerOptions(new Command('demonstrate'))
    .description('The same as start --demonstration')
    .option('--once', 'end after the walk; the exit code says whether all of it held')
    .action(({ once }: StartOptions, self: Command) =>
      demonstrate(invocation(surroundings, self), self, once === true),
    );
  return withExample(command, 'sallyport demonstrate --once');
}

/** Runs a server until the person asks to stop. */
export async function serve(surroundings: Surroundings, self: Command, configuration: Configuration): Promise<void> {
  const { output, terminal } = invocation(surroundings, self);
  const { startServer } = await import('@sallyport/server');
  const server = await startServer({ configuration, progress: (step) => output.note(`${step} …`) });
  const { mqttPort, httpPort, plainPort, dataDirectory, fresh } = server;
  const host = hostFor(configuration.listeners.http.address);
  const facts = {
    pid: process.pid,
    dataDirectory,
    ...(mqttPort !== undefined && { mqtt: `mqtts://${host}:${mqttPort}` }),
    ...(plainPort !== undefined && { mqttWithoutTls: `mqtt://${host}:${plainPort}` }),
    ...(configuration.listeners.http.websocket && {
      websocket: `wss://${host}:${httpPort}${configuration.listeners.http.websocketPath}`,
    }),
    api: `https://${host}:${httpPort}/api/v1`,
  };
  output.document(facts);
  if (fresh)
    output.note(`The token of the first operator is in ${dataDirectory}/operator.token. Next: sallyport org add ID`);
  output.note('Running. Ctrl-C ends it.');
  await stopped(terminal.stop);
  await server.close();
  output.note('Stopped.');
}

/** Resolves when the person asks to stop. */
function stopped(stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (stop.aborted) resolve();
    else stop.addEventListener('abort', () => resolve(), { once: true });
  });
}
