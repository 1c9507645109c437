import { type Kysely, sql } from 'kysely';
import type { Tables } from './tables.ts';

/** A row of the audit trail before it has its number. `at` is in milliseconds since the epoch. */
export interface NewAuditRow {
  readonly at: number;
  readonly type: string;
  readonly by?: string | undefined;
  readonly target?: string | undefined;
  readonly organisation?: string | undefined;
  readonly principal?: string | undefined;
  readonly address?: string | undefined;
  readonly outcome?: string | undefined;
  readonly ticket?: string | undefined;
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

/** More in one statement would hold up whoever else writes. */
const ROWS_PER_STATEMENT = 500;

/** Writes audit rows: the trail for what it hears, the registry inside the transaction of what it changes. */
export async function insertAuditRows(executor: Kysely<Tables>, rows: readonly NewAuditRow[]): Promise<void> {
  for (let start = 0; start < rows.length; start += ROWS_PER_STATEMENT) {
    const values = rows
      .slice(start, start + ROWS_PER_STATEMENT)
      .map((row) => [
        row.at,
        row.type,
        row.by,
        row.target,
        row.organisation,
        row.principal,
        row.address,
        row.outcome,
        row.ticket,
        row.details === undefined ? undefined : JSON.stringify(row.details),
      ]);
    // One value for all rows: to bind ten for each costs several times as much as to write them.
    await insertAll(JSON.stringify(values)).execute(executor);
  }
}

const insertAll = (rows: string) => sql`
  insert into audit (at, type, "by", target, organisation, principal, address, outcome, ticket, details)
  select value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7, value ->> 8, value ->> 9
  from json_each(${rows}) order by key`;
