import { parseTopicName } from '@sallyport/model';
import { Command, Option } from 'commander';
import { connectAsOperator } from '../administration.ts';
import { invocation, type Surroundings } from '../invocation.ts';
import { withExample } from '../options.ts';
import { UsageError } from '../report-failure.ts';
import { sentence } from '../table.ts';
import { type ClientOptions, openClient, unlessItBreaks, withClientOptions } from './client-options.ts';

interface PublishOptions extends ClientOptions {
  readonly qos: '0' | '1' | '2';
}

export function publishCommand(surroundings: Surroundings): Command {
  const command = withClientOptions(new Command('publish'))
    .description('Publish one message as a device, gateway or application')
    .argument('<topic>', 'topic name as the client itself writes it')
    .argument('<payload>', 'text of the message; - reads standard input')
    .requiredOption('--as <principal>', 'for example device:demo/pump/pump-8 or application:demo/tap')
    .option('--key <key>', "API key of an application; asked from the server's API if left out")
    .addOption(new Option('--qos <level>', 'quality of service').choices(['0', '1', '2']).default('1'))
    .action(async (topic: string, payload: string, _options: object, self: Command) => {
      const call = invocation(surroundings, self);
      const { terminal } = call;
      const options = self.optsWithGlobals<PublishOptions>();
      const named = parseTopicName(topic);
      if (!named.ok) throw new UsageError(`${sentence(named.problem)}.`, 'Correct the topic.');
      const text = payload === '-' ? await terminal.readStdin() : payload;
      const { link } = await openClient(call, options, (application) => keyFromServer(options, application));
      try {
        const qos = Number(options.qos) as 0 | 1 | 2;
        await unlessItBreaks(link, terminal, link.publish(topic, new TextEncoder().encode(text), qos));
        const sure = qos === 0 ? 'sent; QoS 0 is not acknowledged' : 'the server has it';
        call.output.text(`Published to ${topic}: ${sure}.`, { topic, qos });
      } finally {
        await link.close();
      }
    });
  return withExample(
    command,
    `sallyport publish --as device:demo/pump/pump-8 iot-2/evt/status/fmt/json '{"temperature":21}'`,
  );
}

/** Asks the API for the key of an application, as an operator. */
export async function keyFromServer(
  options: ClientOptions,
  application: { readonly organisation: string; readonly id: string },
): Promise<string> {
  const management = connectAsOperator(options);
  try {
    return (await management.applications.get({ organisation: application.organisation, id: application.id })).key;
  } finally {
    management.close();
  }
}
