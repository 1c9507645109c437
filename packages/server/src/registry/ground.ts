import type { FieldProblem } from '@sallyport/model';
import type { Kysely } from 'kysely';
import { insertAuditRows } from '../storage/audit-rows.ts';
import type { Database } from '../storage/database.ts';
import type { Tables } from '../storage/tables.ts';
import type { RegistryChange } from './records.ts';

/** The database, or a transaction on it. */
export type Executor = Kysely<Tables>;

/** What every part of the registry stands on. */
export interface Ground {
  readonly database: Database;
  readonly now: () => number;
  readonly random: (size: number) => Uint8Array;
  readonly hashToken: (token: string) => Uint8Array;
  readonly hashPassword: (password: string) => Promise<string>;
  readonly generateToken: () => string;
  readonly checkPolicy: (text: string) => readonly FieldProblem[];
  /** Told after the change is on disk. */
  readonly announce: (changes: readonly RegistryChange[]) => void;
}

export interface Noted extends Omit<RegistryChange, 'by' | 'action'> {
  /** For the audit row; never a secret. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/**
 * The one way to change the registry: `work` changes rows and notes what it changed; both the rows and their audit rows are on disk
 * before anybody is told, or neither is.
 */
export async function mutate<T>(
  ground: Ground,
  by: string,
  work: (transaction: Executor, note: (change: Noted) => void) => Promise<T>,
): Promise<T> {
  const noted: Noted[] = [];
  const result = await ground.database.transaction(async (transaction) => {
    const answer = await work(transaction, (change) => noted.push(change));
    const at = ground.now();
    await insertAuditRows(
      transaction,
      noted.map((change) => ({
        at,
        type: actionOf(change),
        by,
        target: change.target,
        organisation: change.organisation,
        principal: change.principal,
        outcome: 'done',
        details: change.details,
      })),
    );
    return answer;
  });
  ground.announce(noted.map(({ details: _, ...change }) => ({ ...change, by, action: actionOf(change) })));
  return result;
}

function actionOf(change: Pick<RegistryChange, 'kind' | 'change'>): string {
  return `${change.kind}.${change.change}`;
}
