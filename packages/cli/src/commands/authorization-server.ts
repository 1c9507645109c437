import { Command } from 'commander';
import type { Surroundings } from '../invocation.ts';
import { withExample } from '../options.ts';
import { UsageError } from '../report-failure.ts';
import { configurationOf, withServerOptions } from '../server-options.ts';
import { serve } from './start.ts';

/** The same server with its doors for MQTT shut: what is left is the API and the authorization server. */
const SHUT = { 'listeners.mqttTls.enabled': false, 'listeners.http.websocket': false };

export function authorizationServerCommand(surroundings: Surroundings): Command {
  const command = withServerOptions(new Command('authorization-server'))
    .description('Run an authorization server alone, without MQTT, until Ctrl-C; it has a data directory of its own')
    .action(async (_options: unknown, self: Command) => {
      const configuration = await configurationOf(self, SHUT);
      if (configuration.authorizationServer.organisations.length === 0) {
        throw new UsageError(
          'No organisation has an authorization server.',
          'Name one under authorizationServer.organisations of the configuration file (--config FILE).',
        );
      }
      if (configuration.listeners.mqttPlain.allowPlaintextListener) {
        throw new UsageError('An authorization server has no MQTT listener.', 'Leave the plaintext listener out.');
      }
      await serve(surroundings, self, configuration);
    });
  return withExample(command, 'sallyport authorization-server --config authorization-server.yaml');
}
