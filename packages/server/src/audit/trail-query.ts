import type { Page } from '@sallyport/model';
import type { Selectable } from 'kysely';
import type { Database } from '../storage/database.ts';
import { type PageRequest, pageLimit, pageOf } from '../storage/page.ts';
import { present } from '../storage/present.ts';
import type { AuditTable } from '../storage/tables.ts';

/** One row of the audit trail. `at` is in milliseconds since the epoch. */
export interface AuditRow {
  readonly sequence: number;
  readonly at: number;
  readonly type: string;
  readonly by?: string;
  readonly target?: string;
  readonly organisation?: string;
  readonly principal?: string;
  readonly address?: string;
  readonly outcome?: string;
  readonly ticket?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** What is looked for in the trail; all that is given must hold. */
export interface AuditQuery extends PageRequest {
  /** A type, or the beginning of one with `*`: `session.*`. */
  readonly type?: string;
  readonly principal?: string;
  readonly organisation?: string;
  readonly by?: string;
  readonly ticket?: string;
  /** Milliseconds since the epoch, inclusive. */
  readonly since?: number;
  /** Milliseconds since the epoch, exclusive. */
  readonly until?: number;
  /** `newest` (first) if left out. */
  readonly order?: 'newest' | 'oldest';
}

/** Reads a page of the trail from disk. */
export async function queryTrail({ query: db }: Database, query: AuditQuery): Promise<Page<AuditRow>> {
  const limit = pageLimit(query.limit);
  const newest = query.order !== 'oldest';
  let select = db
    .selectFrom('audit')
    .selectAll()
    .orderBy('sequence', newest ? 'desc' : 'asc')
    .limit(limit + 1);
  for (const column of ['principal', 'organisation', 'by', 'ticket'] as const) {
    const wanted = query[column];
    if (wanted !== undefined) select = select.where(column, '=', wanted);
  }
  if (query.type?.endsWith('*')) {
    // `_` and `%` occur in no type, and a pattern of somebody's own would be a way to make the search slow.
    select = select.where('type', 'like', `${query.type.slice(0, -1).replace(/[^A-Za-z.-]/g, '')}%`);
  } else if (query.type !== undefined) {
    select = select.where('type', '=', query.type);
  }
  if (query.since !== undefined) select = select.where('at', '>=', query.since);
  if (query.until !== undefined) select = select.where('at', '<', query.until);
  const after = query.after === undefined ? Number.NaN : Number(query.after);
  if (Number.isSafeInteger(after)) select = select.where('sequence', newest ? '<' : '>', after);
  return pageOf(await select.execute(), limit, rowOf, (row) => String(row.sequence));
}

function rowOf(row: Selectable<AuditTable>): AuditRow {
  const { sequence, at, type, details, ...rest } = row;
  return {
    sequence: Number(sequence),
    at: Number(at),
    type,
    ...present(rest),
    ...(details === null ? {} : { details: JSON.parse(details) as Record<string, unknown> }),
  };
}
