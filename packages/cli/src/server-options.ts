import type { Configuration } from '@sallyport/server';
import { type Command, Option } from 'commander';
import type { GlobalOptions } from './invocation.ts';
import { portOption } from './option-values.ts';

/** How the command line changes the configuration. */
export interface ServerOptions extends GlobalOptions {
  readonly config?: string;
  readonly address?: string;
  readonly mqttPort?: number;
  readonly httpPort?: number;
  readonly allowPlaintextListener?: boolean;
  readonly plainPort?: number;
}

const OPTION_NAMES: Readonly<Record<string, string>> = {
  dataDirectory: '--data-dir',
  'listeners.mqttTls.address': '--address',
  'listeners.mqttTls.port': '--mqtt-port',
  'listeners.http.address': '--address',
  'listeners.http.port': '--http-port',
  'listeners.mqttPlain.allowPlaintextListener': '--allow-plaintext-listener',
  'listeners.mqttPlain.address': '--address',
  'listeners.mqttPlain.port': '--plain-port',
};

/** Adds `--config` and the options that overrule it. */
export function withServerOptions(command: Command): Command {
  return command
    .option('--config <file>', 'configuration file (YAML); without one the defaults hold')
    .option('--address <address>', 'address to listen on; 127.0.0.1 by default, 0.0.0.0 to be reached from the network')
    .addOption(new Option('--mqtt-port <port>', 'port of MQTT over TLS; 8883 by default').argParser(portOption))
    .addOption(
      new Option('--http-port <port>', 'port of the API and of MQTT over WebSocket; 8443 by default').argParser(
        portOption,
      ),
    )
    .option(
      '--allow-plaintext-listener',
      'also listen without TLS: whoever is on the way can read and change everything',
    )
    .addOption(new Option('--plain-port <port>', 'port of MQTT without TLS; 1883 by default').argParser(portOption));
}

/**
 * The configuration of the file, overruled by the command line, then by `more`.
 *
 * @throws Failure `configuration_invalid`
 */
export async function configurationOf(
  command: Command,
  more: Readonly<Record<string, unknown>> = {},
): Promise<Configuration> {
  const options = command.optsWithGlobals<ServerOptions>();
  const { address, mqttPort, httpPort, allowPlaintextListener, plainPort } = options;
  // A data directory in the file must not be overruled by the default of the option.
  const named = !['default', undefined].includes(command.getOptionValueSourceWithGlobals('dataDir'));
  const given = {
    dataDirectory: named || options.config === undefined ? options.dataDir : undefined,
    'listeners.mqttTls.address': address,
    'listeners.http.address': address,
    'listeners.mqttPlain.address': allowPlaintextListener ? address : undefined,
    'listeners.mqttTls.port': mqttPort,
    'listeners.http.port': httpPort,
    'listeners.mqttPlain.allowPlaintextListener': allowPlaintextListener,
    'listeners.mqttPlain.port': plainPort,
    ...more,
  };
  // The server is loaded by the commands that need it: the others stay quick.
  const { loadConfiguration } = await import('@sallyport/server');
  return loadConfiguration({
    ...(options.config !== undefined && { file: options.config }),
    overrides: Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
    optionNames: OPTION_NAMES,
  });
}
