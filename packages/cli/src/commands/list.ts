import { LIST_NAMES, type ListEntryDocument, type ListName, type NewListEntry } from '@sallyport/model';
import { Argument, Command, Option } from 'commander';
import { type Administration, administers, all } from '../administration.ts';
import { dataDirectoryPaths } from '../data-directory.ts';
import { type GlobalOptions, invocation, type Surroundings } from '../invocation.ts';
import { listEntry, listFileEntries } from '../list-file.ts';
import { withExample, withOrganisation } from '../options.ts';
import { NegativeAnswer, UsageError } from '../report-failure.ts';
import { printable } from '../table.ts';

interface ScopeOptions {
  readonly serverWide?: boolean;
}
interface AddOptions extends ScopeOptions {
  readonly file?: string;
  readonly note?: string;
  readonly expires?: string;
  readonly force?: boolean;
}

/** The API takes so many at a time. */
const AT_A_TIME = 5_000;
/** Debian's package tor-geoipdb. */
const TOR_TABLES = '/usr/share/tor';

const COLUMNS = [
  { heading: 'entry', value: (row: ListEntryDocument) => row.entry },
  { heading: 'note', value: (row: ListEntryDocument) => row.note },
  { heading: 'ends', value: (row: ListEntryDocument) => row.expiresAt ?? 'never' },
  { heading: 'added', value: (row: ListEntryDocument) => `${row.createdAt} by ${row.createdBy}` },
];

export function listCommand(surroundings: Surroundings): Command {
  const command = new Command('list').description('Black and white lists of addresses and countries');
  const scoped = (name: string): Command =>
    withOrganisation(command.command(name)).option('--server-wide', 'the lists of the whole server');
  const which = () => new Argument('<list>', 'which of the two').choices([...LIST_NAMES]);

  withExample(scoped('show').description('Show which list is on'), 'sallyport list show').action(
    administers(surroundings, async (call, options: ScopeOptions) => {
      call.output.document(await call.management.lists.get(await scopeOf(call, options)));
    }),
  );
  withExample(
    scoped('use')
      .description('Turn a list on, which turns the other one off, or both off; sessions that may not be any more end')
      .addArgument(new Argument('<list>', 'which of the two, or none').choices([...LIST_NAMES, 'none']))
      .addOption(
        new Option('--unknown-country <what>', 'what becomes of an address whose country is not known').choices([
          'allow',
          'refuse',
        ]),
      )
      .option('--force', 'even if it shuts out everybody, or your own address'),
    'sallyport list use black',
  ).action(
    administers(
      surroundings,
      async (
        call,
        active: 'none' | ListName,
        { unknownCountry, force, ...options }: ScopeOptions & { unknownCountry?: 'allow' | 'refuse'; force?: boolean },
      ) => {
        const body = { active, ...(unknownCountry && { unknownCountry }), ...(force && { force }) };
        call.output.document(await call.management.lists.use(await scopeOf(call, options), body));
      },
    ),
  );
  withExample(
    scoped('add')
      .description('Put addresses, networks, ranges or countries on a list')
      .addArgument(which())
      .argument('[entries...]', '192.0.2.7, 192.0.2.0/24, 2001:db8::/32, 192.0.2.7-192.0.2.20 or DE')
      .option('--file <file>', 'entries from a file, one a line, with a note behind #; - reads standard input')
      .option('--note <text>', 'for people')
      .option('--expires <time>', 'after what time they cease to hold: 30d, 12h, 30m')
      .option('--force', 'even if it shuts out your own address'),
    'sallyport list add black 192.0.2.0/24 --note "scanner" --expires 30d',
    'sallyport list add white --file offices.txt',
  ).action(
    administers(surroundings, async (call, list: ListName, given: string[], options: AddOptions) => {
      const { file, note, expires, force } = options;
      const more = { ...(note !== undefined && { note }), ...(expires !== undefined && { expiresIn: expires }) };
      const read = file === undefined ? [] : await listFileEntries(call.terminal, file);
      const entries: NewListEntry[] = [
        ...given.map((entry) => listEntry(entry, `The entry "${printable(entry)}"`)),
        ...read,
      ].map((each) => ({
        ...more,
        ...each,
      }));
      if (entries.length === 0) throw new UsageError('No entry was named.', 'Name one, or give --file FILE.');
      const scope = await scopeOf(call, options);
      const whole = { added: 0, changed: 0 };
      for (let at = 0; at < entries.length; at += AT_A_TIME) {
        const part = { entries: entries.slice(at, at + AT_A_TIME), ...(force && { force }) };
        const { added, changed } = await call.management.lists.add(scope, list, part);
        whole.added += added;
        whole.changed += changed;
      }
      const said = `Added ${whole.added} to the ${list} list${whole.changed > 0 ? `, and changed ${whole.changed}` : ''}.`;
      call.output.text(said, whole);
      const { active } = await call.management.lists.get(scope);
      if (active !== list) call.output.note(`The ${list} list is not on: sallyport list use ${list}.`);
    }),
  );
  withExample(
    scoped('remove')
      .description('Take entries off a list')
      .addArgument(which())
      .argument('<entries...>', 'as `sallyport list entries` shows them')
      .option('--force', 'even if it shuts out your own address'),
    'sallyport list remove black 192.0.2.0/24',
  ).action(
    administers(
      surroundings,
      async (call, list: ListName, entries: string[], options: ScopeOptions & { force?: boolean }) => {
        const scope = await scopeOf(call, options);
        for (const entry of entries) {
          await call.management.lists.remove(scope, list, entry, options.force ? { force: true } : {});
        }
        call.output.text(`Removed ${entries.join(', ')} from the ${list} list.`, { removed: entries });
      },
    ),
  );
  withExample(
    scoped('entries').description('Show what is on a list').addArgument(which()),
    'sallyport list entries black',
  ).action(
    administers(surroundings, async (call, list: ListName, options: ScopeOptions) => {
      const scope = await scopeOf(call, options);
      call.output.list(await all((page) => call.management.lists.entries(scope, list, page)), COLUMNS);
    }),
  );
  withExample(
    scoped('check <address>').description('Say whether an address may connect, and why; ends with 1 if not'),
    'sallyport list check 192.0.2.7',
  ).action(
    administers(surroundings, async (call, address: string, options: ScopeOptions) => {
      const found = await call.management.lists.check(await scopeOf(call, options), address);
      const country = found.country === undefined ? '' : ` (${found.country})`;
      const lines = [
        `${found.address}${country} ${found.passes ? 'may connect.' : 'is refused.'}`,
        ...found.steps.map((step) => `  ${step}`),
        ...(found.cure === undefined ? [] : [`  What to do: ${found.cure}`]),
      ];
      call.output.text(lines.join('\n'), found);
      if (!found.passes) throw new NegativeAnswer();
    }),
  );
  const importing = command
    .command('import-countries')
    .description(
      "Make the server's country file of the tables in Debian's package tor-geoipdb; needs no running server",
    )
    .argument('[folder]', 'where geoip and geoip6 are', TOR_TABLES)
    .option('--to <file>', 'file to write; else countries.mmdb of the data folder');
  withExample(importing, 'sallyport list import-countries').action(
    async (folder: string, options: { to?: string }, self: Command) => {
      const { output } = invocation(surroundings, self);
      const { dataDir } = self.optsWithGlobals<GlobalOptions>();
      const { importTorCountries } = await import('@sallyport/server');
      const made = importTorCountries(folder, options.to ?? dataDirectoryPaths(dataDir).countries, surroundings.now);
      output.text(
        `Wrote ${made.file}: ${made.ranges} ranges of addresses in ${made.countries} countries. A running server takes it within seconds.`,
        made,
      );
    },
  );
  return command;
}

/** Undefined means the server. */
async function scopeOf(
  { organisation, options }: Administration,
  { serverWide }: ScopeOptions,
): Promise<string | undefined> {
  if (serverWide !== true) return organisation();
  if ((options as { org?: string }).org !== undefined) {
    throw new UsageError('--org and --server-wide were both given.', 'Name one of them.');
  }
  return undefined;
}
