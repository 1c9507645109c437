import { Failure, type FieldProblem } from '@sallyport/model';
import { invalid, notFound } from './checks.ts';
import { type Ground, mutate } from './ground.ts';
import { organisationIn } from './organisations.ts';
import type { PolicyVersion } from './records.ts';
import { policyVersionOf } from './rows.ts';

export interface Policies {
  /** The version in force; undefined if the organisation never wrote one (then the built-in policy stands alone). */
  get(organisation: string): Promise<PolicyVersion | undefined>;
  /** Refused with `policy_invalid` and the positions of the problems; the policy in force stays. */
  put(input: { organisation: string; text: string; by: string }): Promise<PolicyVersion>;
  /** One version of the past; `not_found` if it is older than the 50 that are kept. */
  version(organisation: string, version: number): Promise<PolicyVersion>;
  /** Newest first, at most 50. */
  list(organisation: string): Promise<readonly PolicyVersion[]>;
}

const VERSIONS_KEPT = 50;
const LARGEST_TEXT = 2 * 1024 * 1024;
const PROBLEMS_SHOWN = 20;

export function policies(ground: Ground): Policies {
  const { query } = ground.database;
  const newest = (organisation: string, executor = query) =>
    executor
      .selectFrom('policies')
      .selectAll()
      .where('organisation', '=', organisation)
      .orderBy('version', 'desc')
      .limit(1)
      .executeTakeFirst();

  return {
    async get(organisation) {
      const row = await newest(organisation);
      if (row) return policyVersionOf(row);
      await organisationIn(query, organisation);
      return undefined;
    },

    async put({ organisation, text, by }) {
      if (Buffer.byteLength(text) > LARGEST_TEXT) throw invalid('text', 'a policy has at most 2 MiB');
      await organisationIn(query, organisation);
      const problems = ground.checkPolicy(text);
      if (problems.length > 0) throw policyFailure(organisation, problems);
      return mutate(ground, by, async (transaction, note) => {
        await organisationIn(transaction, organisation);
        const before = await newest(organisation, transaction);
        const version = Number(before?.version ?? 0) + 1;
        const row = { organisation, version, text, created_at: ground.now(), created_by: by };
        await transaction.insertInto('policies').values(row).execute();
        await transaction
          .deleteFrom('policies')
          .where('organisation', '=', organisation)
          .where('version', '<=', version - VERSIONS_KEPT)
          .execute();
        note({
          kind: 'policy',
          change: before ? 'updated' : 'created',
          organisation,
          target: `policy:${organisation}`,
          details: { version },
        });
        return policyVersionOf(row);
      });
    },

    async version(organisation, version) {
      const row = await query
        .selectFrom('policies')
        .selectAll()
        .where('organisation', '=', organisation)
        .where('version', '=', version)
        .executeTakeFirst();
      if (!row) throw notFound(`Version ${version} of policy:${organisation}`);
      return policyVersionOf(row);
    },

    async list(organisation) {
      await organisationIn(query, organisation);
      const rows = await query
        .selectFrom('policies')
        .selectAll()
        .where('organisation', '=', organisation)
        .orderBy('version', 'desc')
        .execute();
      return rows.map(policyVersionOf);
    },
  };
}

function policyFailure(organisation: string, problems: readonly FieldProblem[]): Failure {
  const lines = problems.slice(0, PROBLEMS_SHOWN).map(({ path, line, column, problem, cure }) => {
    const place = line === undefined ? path : `line ${line}, column ${column ?? 1} (${path})`;
    return `${place}: ${problem}${cure === undefined ? '' : ` ${cure}`}`;
  });
  if (problems.length > PROBLEMS_SHOWN) lines.push(`and ${problems.length - PROBLEMS_SHOWN} more`);
  return new Failure(
    'policy_invalid',
    `The policy of organisation "${organisation}" was not changed: ${lines.join('\n')}`,
  );
}
