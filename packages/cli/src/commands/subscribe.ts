import { parseSubscription } from '@sallyport/model';
import { Command, Option } from 'commander';
import { invocation, type Surroundings } from '../invocation.ts';
import { countOption } from '../option-values.ts';
import { withExample } from '../options.ts';
import { UsageError } from '../report-failure.ts';
import { printable, sentence } from '../table.ts';
import { type ClientOptions, openClient, unlessItBreaks, withClientOptions } from './client-options.ts';
import { keyFromServer } from './publish.ts';

interface SubscribeOptions extends ClientOptions {
  readonly count?: number;
}

export function subscribeCommand(surroundings: Surroundings): Command {
  const command = withClientOptions(new Command('subscribe'))
    .description('Show messages as a device, gateway or application receives them; Ctrl-C ends it')
    .argument('<filter>', 'topic filter as the client itself writes it')
    .requiredOption('--as <principal>', 'for example application:demo/tap')
    .option('--key <key>', "API key of an application; asked from the server's API if left out")
    .addOption(new Option('--count <messages>', 'end after so many').argParser(countOption))
    .action(async (filter: string, _options: object, self: Command) => {
      const call = invocation(surroundings, self);
      const { output, terminal } = call;
      const options = self.optsWithGlobals<SubscribeOptions>();
      const named = parseSubscription(filter);
      if (!named.ok) throw new UsageError(`${sentence(named.problem)}.`, 'Correct the topic filter.');
      const { link } = await openClient(call, options, (application) => keyFromServer(options, application));
      try {
        let left = options.count ?? Number.POSITIVE_INFINITY;
        let finish = () => {};
        const enough = new Promise<undefined>((resolve) => {
          finish = () => resolve(undefined);
        });
        terminal.stop.addEventListener('abort', finish, { once: true });
        const listening = link.subscribe(filter, 1, (topic, payload) => {
          if (left <= 0) return;
          left -= 1;
          const text = new TextDecoder().decode(payload);
          output.line(`${printable(topic)} ${printable(text)}`, { topic, payload: text });
          if (left === 0) finish();
        });
        await unlessItBreaks(link, terminal, listening);
        link.on('problem', (failure) => output.note(failure.message));
        link.on('offline', () => output.note('The connection broke; trying again.'));
        link.on('online', () => output.note('Connected again.'));
        output.note(`Listening to ${filter}. Ctrl-C ends it.`);
        const ended = await Promise.race([enough, link.closed]);
        if (ended) throw ended;
      } finally {
        await link.close();
      }
    });
  return withExample(command, "sallyport subscribe --as application:demo/tap 'iot-2/type/+/id/+/evt/+/fmt/+'");
}
