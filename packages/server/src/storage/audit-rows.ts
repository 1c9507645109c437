import type { Kysely } from 'kysely';
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

/** SQLite takes at most 32,766 values in one statement. */
const ROWS_PER_STATEMENT = 500;

/** Writes audit rows: the trail for what it hears, the registry inside the transaction of what it changes. */
export async function insertAuditRows(executor: Kysely<Tables>, rows: readonly NewAuditRow[]): Promise<void> {
  for (let start = 0; start < rows.length; start += ROWS_PER_STATEMENT) {
    const values = rows.slice(start, start + ROWS_PER_STATEMENT).map((row) => ({
      at: row.at,
      type: row.type,
      by: row.by ?? null,
      target: row.target ?? null,
      organisation: row.organisation ?? null,
      principal: row.principal ?? null,
      address: row.address ?? null,
      outcome: row.outcome ?? null,
      ticket: row.ticket ?? null,
      details: row.details === undefined ? null : JSON.stringify(row.details),
    }));
    await executor.insertInto('audit').values(values).execute();
  }
}
