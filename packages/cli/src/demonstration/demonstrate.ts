import { randomBytes } from 'node:crypto';
import { isAbsolute, relative } from 'node:path';
import { Failure } from '@sallyport/model';
import type { Command } from 'commander';
import { connectAsOperator } from '../administration.ts';
import { hostFor } from '../data-directory.ts';
import type { Invocation } from '../invocation.ts';
import { createProgress } from '../progress.ts';
import { configurationOf } from '../server-options.ts';
import { simulate } from '../simulated-device.ts';
import { printable } from '../table.ts';
import { pasteBlock } from './paste-block.ts';
import { type Cast, prepareCast } from './prepare-cast.ts';
import { type WalkResult, walk } from './walk.ts';

const DEFAULT_DATA_DIR = 'sallyport-data';
const EVERY = 5_000;

/**
 * Starts the server, shows the platform at work with real clients, and stays up with lines to paste until Ctrl-C.
 *
 * @throws Failure `demonstration_failed` if something did not hold
 */
export async function demonstrate(call: Invocation, self: Command, once: boolean): Promise<void> {
  const { terminal } = call;
  const progress = createProgress(terminal);
  const configuration = await configurationOf(self, { 'log.level': 'silent' });
  const { startServer } = await import('@sallyport/server');
  const server = await progress.step(
    'Preparing keys, certificates and registry',
    () => startServer({ configuration }),
    (running) => (running.fresh ? `Made ${running.dataDirectory}` : `Opened ${running.dataDirectory}`),
  );
  try {
    const { mqttPort, httpPort, dataDirectory } = server;
    if (mqttPort === undefined) {
      throw new Failure('configuration_invalid', 'The demonstration needs MQTT over TLS, which is switched off.', {
        cure: 'Set listeners.mqttTls.enabled to true, or start without --demonstration.',
      });
    }
    const management = connectAsOperator({ ...call.options, dataDir: dataDirectory });
    let result: WalkResult;
    let cast: Cast;
    const host = hostFor(configuration.listeners.mqttTls.address);
    try {
      cast = await progress.step(
        'Preparing the organisation demo',
        () => prepareCast(management, dataDirectory),
        ({ made }) => (made.length === 0 ? 'The organisation demo is still there' : `Made ${made.join(', ')}`),
      );
      result = await walk({
        host,
        mqttPort,
        ca: server.rootPem,
        organisation: cast.organisation,
        device: cast.device,
        other: cast.other,
        application: cast.desk,
        wrongToken: randomBytes(12).toString('base64url'),
        explain: (ticket) => management.explainTicket(ticket),
        say: (line) => terminal.out(line),
      });
    } finally {
      management.close();
    }
    try {
      if (once) return conclude(call, result);
      terminal.out(`\n${result.held ? 'All of it held.' : 'NOT all of it held.'} The server stays up.\n`);
      terminal.out(
        pasteBlock(block(cast, { host, mqttPort, httpPort, dataDirectory, ticket: result.tickets[0] ?? 'TICKET' })),
      );
      terminal.out(`\n${cast.device.id} goes on sending every 5 seconds and shows its commands here. Ctrl-C ends it.`);
      await simulate({
        device: result.device,
        every: EVERY,
        stop: terminal.stop,
        onCommand: ({ name, payload }) =>
          terminal.out(
            `${cast.device.id} received the command ${printable(name)} ${printable(JSON.stringify(payload))}`,
          ),
        onProblem: (failure) => terminal.err(failure.message),
      });
    } finally {
      await Promise.all([result.device.close(), result.application.close()]);
    }
  } finally {
    await server.close();
  }
  terminal.out('Stopped. Everything is kept; the next start goes on from here.');
}

function conclude({ terminal }: Invocation, { held }: WalkResult): void {
  if (!held) {
    throw new Failure('demonstration_failed', 'Not all of the demonstration held.');
  }
  terminal.out('\nAll of it held.');
}

interface Place {
  readonly host: string;
  readonly mqttPort: number;
  readonly httpPort: number;
  readonly dataDirectory: string;
  readonly ticket: string;
}

function block(cast: Cast, place: Place) {
  const { organisation, other, device, tap, script } = cast;
  const short = relative(process.cwd(), place.dataDirectory);
  // Relative paths are good to read only below the folder where the lines are pasted.
  const dataDirectory = short === '' || short.startsWith('..') || isAbsolute(short) ? place.dataDirectory : short;
  const nameDataDirectory = dataDirectory !== DEFAULT_DATA_DIR;
  return {
    ...place,
    dataDirectory,
    organisation,
    device: other,
    simulated: device,
    listener: tap,
    script,
    nameDataDirectory,
  };
}
