import { Failure, type FieldProblem, type PolicyVersionDocument } from '@sallyport/model';
import {
  broadStatements,
  formatPolicy,
  type PolicyDocument,
  parsePolicyDocument,
  WATSON_POLICY,
} from '@sallyport/policy';
import { Argument, Command } from 'commander';
import { administers } from '../administration.ts';
import { invocation, type Surroundings } from '../invocation.ts';
import { countOption } from '../option-values.ts';
import { withExample, withOrganisation } from '../options.ts';
import type { Output } from '../output.ts';
import { policyText } from '../policy-file.ts';

const VERSION_COLUMNS = [
  { heading: 'version', value: (row: PolicyVersionDocument) => row.version },
  { heading: 'saved', value: (row: PolicyVersionDocument) => row.savedAt },
  { heading: 'by', value: (row: PolicyVersionDocument) => row.savedBy },
];

export function policyCommand(surroundings: Surroundings): Command {
  const command = new Command('policy').description('Statements: who may do what on which topics');
  const show = withOrganisation(command.command('show'))
    .description("Show an organisation's own statements: those in force, or an earlier version")
    .addArgument(new Argument('[version]', 'number of an earlier version').argParser(countOption));
  withExample(show, 'sallyport policy show').action(
    administers(surroundings, async ({ management, output, organisation }, version: number | undefined) => {
      const org = await organisation();
      const { policies } = management;
      const found = await (version === undefined ? policies.get(org) : policies.version(org, version));
      if (found.text === '')
        output.note('No statements of its own: only the built-in ones (sallyport policy builtin).');
      if (found.text !== '' || output.json) output.text(found.text.trimEnd(), found);
    }),
  );
  const builtin = command.command('builtin').description('Show the statements that hold in every organisation');
  withExample(builtin, 'sallyport policy builtin').action((_options: object, self: Command) => {
    invocation(surroundings, self).output.text(formatPolicy(WATSON_POLICY).trimEnd(), WATSON_POLICY);
  });
  const check = command.command('check <file>').description('Say what is wrong with a policy file; needs no server');
  withExample(check, 'sallyport policy check policy.yaml').action(
    async (file: string, _options: object, self: Command) => {
      const call = invocation(surroundings, self);
      const parsed = parsePolicyDocument(await policyText(call.terminal, file));
      const problems = parsed.ok ? [] : parsed.problems;
      if (problems.length > 0) throw invalidPolicy(call.output, file, problems);
      const broad = parsed.ok ? warnOfBroad(call.output, parsed.document) : [];
      call.output.text(`${file} is a correct policy.`, { ok: true, problems: [], broad });
    },
  );
  const set = withOrganisation(command.command('set <file>'))
    .description('Put the statements of a file into force, in place of those before')
    .option('--over <version>', 'only if this version is still in force', countOption);
  withExample(set, 'sallyport policy set policy.yaml').action(
    administers(surroundings, async (call, file: string, options: { over?: number }) => {
      const text = await policyText(call.terminal, file);
      const parsed = parsePolicyDocument(text);
      if (!parsed.ok) throw invalidPolicy(call.output, file, parsed.problems);
      const over = options.over === undefined ? {} : { over: options.over };
      const { version, organisation } = await call.management.policies.put(await call.organisation(), text, over);
      const broad = warnOfBroad(call.output, parsed.document);
      const said = `Version ${version} of the policy of ${organisation} is in force.`;
      call.output.text(said, { organisation, version, broad });
    }),
  );
  const versions = withOrganisation(command.command('versions')).description(
    'Show when the policy was changed, and by whom',
  );
  withExample(versions, 'sallyport policy versions').action(
    administers(surroundings, async ({ management, output, organisation }) => {
      const { items } = await management.policies.versions(await organisation());
      output.list(items, VERSION_COLUMNS);
    }),
  );
  return command;
}

/** What opens very much is allowed, and is never silent. */
function warnOfBroad(output: Output, document: PolicyDocument): ReturnType<typeof broadStatements> {
  const broad = broadStatements(document);
  for (const { id, why } of broad) output.note(`Warning: statement ${id} ${why}.`);
  return broad;
}

/** The problems of a policy file by line and column; with `--json` they are written as the result. */
export function invalidPolicy(output: Output, file: string, problems: readonly FieldProblem[]): Failure {
  if (output.json) output.text('', { ok: false, problems, broad: [] });
  const lines = problems.map(({ line, column, path, problem, cure }) => {
    const place = line === undefined ? path : `${line}:${column ?? 1}`;
    return `${file}:${place}: ${problem}${cure === undefined ? '' : `. ${cure}`}`;
  });
  return new Failure('policy_invalid', lines.join('\n'));
}
