import { readFile } from 'node:fs/promises';
import { connectApplication, type Identity, readIdentity } from '@sallyport/application';
import { type DeskEvent, parsePrincipal } from '@sallyport/model';
import { Command, Option } from 'commander';
import { Desk } from '../desk/desk.ts';
import { forgeries } from '../desk/forgeries.ts';
import { plainManner, protectedManners } from '../desk/manners.ts';
import { invocation, type Surroundings } from '../invocation.ts';
import { portOption } from '../option-values.ts';
import { withExample } from '../options.ts';
import { openPage } from '../pages/page-server.ts';
import { UsageError } from '../report-failure.ts';
import { printable } from '../table.ts';
import { type ClientOptions, serverOfClient, tokenOfClient, withClientOptions } from './client-options.ts';
import { keyFromServer } from './publish.ts';

interface DeskCommandOptions extends ClientOptions {
  readonly as?: string;
  readonly identity?: string;
  readonly ui?: boolean;
  readonly uiPort: number;
}

/** The application desk: what an application hears and sends, for a person, in the terminal or on a page. `called` is how its example calls it. */
export function deskCommand(surroundings: Surroundings, called = 'sallyport desk'): Command {
  const command = withClientOptions(new Command('desk'))
    .description('Work as an application: see what devices say, and send them commands, right and wrong ones')
    .option('--as <application>', 'which one, for example application:demo/desk')
    // A word here is a slip of the pen for another command, and is told so below.
    .allowExcessArguments(true)
    .option('--key <key>', "API key of the application; asked from the server's API if left out")
    .option('--identity <file>', 'identity of the application: signs commands, opens what devices seal')
    .option('--ui', 'show a page in the browser of this machine')
    .addOption(new Option('--ui-port <port>', 'port of the page').argParser(portOption).default(0, 'a free one'))
    .action(async (_options: object, self: Command) => {
      const call = invocation(surroundings, self);
      const { output, terminal, now } = call;
      const options = self.optsWithGlobals<DeskCommandOptions>();
      const [word] = self.args;
      if (word !== undefined) {
        const noun = self.parent?.name() === 'application' ? 'sallyport application' : called;
        throw new UsageError(`${noun} has no command "${word}".`, `See ${noun} --help.`);
      }
      if (options.as === undefined) {
        throw new UsageError('Which application is not said.', 'Add --as, for example --as application:demo/desk.');
      }
      const read = parsePrincipal(options.as);
      if (!read.ok || read.value.kind !== 'application') {
        throw new UsageError(`"${options.as}" names no application.`, 'Write for example --as application:demo/desk.');
      }
      const { organisation, id } = read.value;
      const token = await tokenOfClient(call, options, id);
      const key = options.key ?? (await keyFromServer(options, read.value));
      const where = serverOfClient(options);
      const identity = options.identity === undefined ? undefined : await identityIn(options.identity);
      const application = await connectApplication({
        ...where,
        organisation,
        id,
        key,
        token,
        ...(identity === undefined ? {} : { protection: { identity } }),
      });
      let changed = (): void => {};
      const desk = await Desk.open({
        application,
        server: `${where.host}:${where.port}`,
        manners:
          identity === undefined
            ? [plainManner(application)]
            : [...protectedManners(application), ...forgeries({ application, identity, organisation, now })],
        now,
        changed: () => changed(),
        ...(options.ui ? {} : { onEvent: (event: DeskEvent) => output.line(...eventLine(event)) }),
      });
      const page = options.ui
        ? await openPage({
            page: 'desk',
            port: options.uiPort,
            document: () => desk.document(),
            actions: { send: (request) => desk.send(request) },
          })
        : undefined;
      if (page) {
        changed = () => page.changed();
        output.line(page.url, { url: page.url });
      }
      output.note(`Connected as ${application.clientId}. Ctrl-C ends it.`);
      try {
        const stopped = new Promise<undefined>((resolve) => {
          terminal.stop.addEventListener('abort', () => resolve(undefined), { once: true });
        });
        const ended = await Promise.race([stopped, application.closed]);
        // The page stays, with the reason on it, for as long as the person wants to read it.
        if (ended && page) await stopped;
        else if (ended) throw ended;
      } finally {
        await page?.close();
        await application.close();
      }
    });
  return withExample(command, `${called} --as application:demo/desk --ui`);
}

async function identityIn(file: string): Promise<Identity> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new UsageError(
      `The identity ${file} cannot be read: ${(error as Error).message}.`,
      'Make one with `sallyport application identity create`, and name its file.',
    );
  }
  return readIdentity(text);
}

function eventLine({ type, id, name, text, protection }: DeskEvent): [string, object] {
  const content = text ?? `(${protection})`;
  return [
    `${printable(`${type}/${id}`)}  ${printable(name)}  ${printable(content)}`,
    { type, id, name, text, protection },
  ];
}
