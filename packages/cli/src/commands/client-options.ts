import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Link, type LinkOptions } from '@sallyport/device';
import { type ApplicationPrincipal, clientIdOf, type DevicePrincipal, Failure, parsePrincipal } from '@sallyport/model';
import { type Command, Option } from 'commander';
import { dataDirectoryPaths, hostFor, runningServer } from '../data-directory.ts';
import type { GlobalOptions, Invocation } from '../invocation.ts';
import { portOption } from '../option-values.ts';
import { UsageError } from '../report-failure.ts';
import { chosenSecret, type SecretOptions, withSecretOptions } from '../secret-input.ts';
import type { Terminal } from '../terminal.ts';

/** Where the MQTT server is and who we are there. */
export interface ClientOptions extends GlobalOptions, SecretOptions {
  readonly host?: string;
  readonly port?: number;
  readonly as?: string;
  readonly key?: string;
}

/** Adds the options of a command that connects over MQTT itself. */
export function withClientOptions(command: Command): Command {
  return withSecretOptions(command)
    .option('--host <name>', 'host name of the server; else the one that runs on the data folder')
    .addOption(new Option('--port <port>', 'MQTT port over TLS').argParser(portOption));
}

/** Host, port and root certificate: as asked for, else of the server that runs on the data folder. */
export function serverOfClient(options: ClientOptions): Pick<LinkOptions, 'host' | 'port' | 'ca'> {
  const running = runningServer(options.dataDir);
  return {
    host: options.host ?? hostFor(running?.address ?? '127.0.0.1'),
    port: options.port ?? running?.mqttPort ?? 8883,
    ...(options.ca === undefined && options.host !== undefined
      ? {}
      : { ca: options.ca ?? dataDirectoryPaths(options.dataDir).root }),
  };
}

/** The token of the client: as chosen, else the one that the demonstration keeps for it. */
export async function tokenOfClient(call: Invocation, options: ClientOptions, id: string): Promise<string> {
  const chosen = await chosenSecret(options, call.terminal);
  if (chosen !== undefined) return chosen;
  const file = join(dataDirectoryPaths(options.dataDir).demonstration, `${id}.token`);
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch {
    throw new UsageError(`There is no token for ${id}.`, 'Give --token-file FILE or --token-stdin.');
  }
}

/** Connects as the device, gateway or application that `--as` names. */
export async function openClient(
  call: Invocation,
  options: ClientOptions,
  keyOf: (application: ApplicationPrincipal) => Promise<string>,
): Promise<{ readonly link: Link; readonly principal: DevicePrincipal | ApplicationPrincipal }> {
  const read = parsePrincipal(options.as ?? '');
  if (!read.ok) throw new UsageError(read.problem, 'Write for example --as device:demo/pump/pump-7.');
  const principal = read.value;
  if (principal.kind === 'operator') {
    throw new UsageError('Operators do not connect over MQTT.', 'Name a device, gateway or application with --as.');
  }
  const username = principal.kind === 'application' ? (options.key ?? (await keyOf(principal))) : 'use-token-auth';
  const password = await tokenOfClient(call, options, principal.id);
  const link = await Link.open(serverOfClient(options), { clientId: clientIdOf(principal), username, password });
  return { link, principal };
}

/**
 * Waits for one request of a command that lives for it alone: it is not tried again on a new connection.
 *
 * @throws Failure what broke it, or `connection_lost` if the person asked to stop
 */
export function unlessItBreaks<T>(link: Link, terminal: Terminal, request: Promise<T>): Promise<T> {
  const { stop } = terminal;
  const broken = new Promise<never>((_, reject) => {
    link.on('problem', reject);
    link.on('offline', () =>
      reject(
        new Failure('connection_lost', 'The server ended the connection before it answered.', {
          cure: 'Look for the refusal with `sallyport refusals`.',
        }),
      ),
    );
    void link.closed.then((ended) => ended && reject(ended));
    const stopped = () => reject(new Failure('connection_lost', 'Stopped before the server answered.'));
    if (stop.aborted) stopped();
    else stop.addEventListener('abort', stopped, { once: true });
  });
  return Promise.race([request, broken]);
}
