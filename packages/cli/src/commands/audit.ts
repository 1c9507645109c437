import type { AuditFilter } from '@sallyport/application/management';
import type { AuditDocument } from '@sallyport/model';
import { Command, Option } from 'commander';
import { type Administration, administers } from '../administration.ts';
import type { Surroundings } from '../invocation.ts';
import { countOption } from '../option-values.ts';
import { withExample } from '../options.ts';
import { printable } from '../table.ts';

interface AuditOptions extends AuditFilter {
  readonly org?: string;
  readonly limit: number;
  readonly follow?: boolean;
}

const COLUMNS = [
  { heading: 'at', value: (row: AuditDocument) => row.at },
  { heading: 'type', value: (row: AuditDocument) => row.type },
  { heading: 'who', value: (row: AuditDocument) => row.by ?? row.principal },
  { heading: 'target', value: (row: AuditDocument) => row.target ?? endOf(row) },
  { heading: 'address', value: (row: AuditDocument) => row.address },
  { heading: 'outcome', value: (row: AuditDocument) => row.outcome },
  { heading: 'ticket', value: (row: AuditDocument) => row.ticket },
];
const POLL = 1_000;

/** Why a session ended: a session has no target, and the reason is what people look for. */
function endOf({ type, details }: AuditDocument): string | undefined {
  const reason = type === 'session.closed' ? details?.reason : undefined;
  return typeof reason === 'string' ? reason : undefined;
}

export function auditCommand(surroundings: Surroundings): Command {
  const command = new Command('audit')
    .description('What has happened: sessions, refusals, changes; newest first')
    .option('--type <type>', 'only this type, or with * at the end those that begin so')
    .option('--org <id>', 'only this organisation')
    .option('--principal <name>', 'only this principal, for example device:demo/pump/pump-7')
    .option('--by <name>', 'only changes by this operator, for example operator:ann')
    .option('--ticket <ticket>', 'only what belongs to this refusal')
    .option('--since <moment>', 'not before this moment (ISO 8601)')
    .option('--until <moment>', 'not after this moment (ISO 8601)')
    .addOption(new Option('--limit <rows>', 'at most so many').argParser(countOption).default(50))
    .option('--follow', 'stay and show what happens; Ctrl-C ends it')
    .action(
      administers(surroundings, async (call, options: AuditOptions) => {
        const filter = filterOf(options);
        if (options.follow) return follow(call, filter);
        const rows: AuditDocument[] = [];
        let after: string | undefined;
        do {
          const limit = Math.min(options.limit - rows.length, 500);
          const page = await call.management.audit({ ...filter, limit, ...(after !== undefined && { after }) });
          rows.push(...page.items);
          after = page.next;
        } while (after !== undefined && rows.length < options.limit);
        call.output.list(rows, COLUMNS);
      }),
    );
  return withExample(command, "sallyport audit --type 'session.*' --limit 20", 'sallyport audit --follow');
}

function filterOf({ type, org, principal, by, ticket, since, until }: AuditOptions): AuditFilter {
  const given = { type, organisation: org, principal, by, ticket, since, until };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

async function follow({ management, output, terminal }: Administration, filter: AuditFilter): Promise<void> {
  const newest = await management.audit({ limit: 1 });
  let after = String(newest.items[0]?.sequence ?? 0);
  while (!terminal.stop.aborted) {
    const page = await management.audit({ ...filter, order: 'oldest', limit: 500, after });
    for (const row of page.items) {
      after = String(row.sequence);
      output.line(COLUMNS.map(({ value }) => printable(String(value(row) ?? '-'))).join('  '), row);
    }
    if (page.next === undefined) await pause(terminal.stop);
  }
}

function pause(stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      stop.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, POLL);
    stop.addEventListener('abort', done);
  });
}
