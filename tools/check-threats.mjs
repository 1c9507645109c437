// @ts-check
/**
 * Fails if a row of the threat model has no test. A row is a table row of docs/design/threat-model.md whose first cell is
 * its id (`| T-07 | …`); it has a file tests/attacks/T-07-*.test.ts, or it names an existing `*.test.ts` file of the
 * repository in one of its cells.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const DOCUMENT = 'docs/design/threat-model.md';
const FOLDER = 'tests/attacks';

/**
 * @param {string} root
 * @returns {{ rows: number, problems: string[] }}
 */
export function checkThreats(root) {
  const document = join(root, DOCUMENT);
  if (!existsSync(document))
    return {
      rows: 0,
      problems: [`${DOCUMENT} does not exist; write the threat model, one table row per threat (| T-01 | …)`],
    };
  /** @type {Map<string, string>} */
  const rows = new Map();
  /** @type {string[]} */
  const problems = [];
  for (const line of readFileSync(document, 'utf8').split('\n')) {
    const match = /^\|\s*`?(T-\d{2,})`?\s*\|/.exec(line);
    if (!match) continue;
    const id = match[1] ?? '';
    if (rows.has(id)) problems.push(`${DOCUMENT}: ${id} stands there twice`);
    rows.set(id, line);
  }
  if (rows.size === 0) problems.push(`${DOCUMENT} has no row whose first cell is an id (| T-01 | …)`);
  const tests = existsSync(join(root, FOLDER))
    ? readdirSync(join(root, FOLDER)).filter((name) => name.endsWith('.test.ts'))
    : [];
  for (const [id, line] of rows) {
    const named = [...line.matchAll(/[\w./-]+\.test\.ts/g)].map(([path]) => path.replace(/^(\.\.?\/)+/, ''));
    for (const path of named)
      if (!existsSync(join(root, path))) problems.push(`${DOCUMENT}: ${id} names ${path}, which does not exist`);
    if (named.length === 0 && !tests.some((name) => name.startsWith(`${id}-`))) {
      problems.push(
        `${DOCUMENT}: ${id} has no test; write ${FOLDER}/${id}-….test.ts or name an existing test in its row`,
      );
    }
  }
  for (const name of tests) {
    const id = /^(T-\d{2,})-/.exec(name)?.[1];
    if (id !== undefined && !rows.has(id))
      problems.push(`${FOLDER}/${name} tests ${id}, which ${DOCUMENT} does not have`);
  }
  return { rows: rows.size, problems };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { rows, problems } = checkThreats(fileURLToPath(new URL('..', import.meta.url)));
  for (const problem of problems) console.error(problem);
  console.log(
    problems.length === 0
      ? `threats: ${rows} rows, each with a test`
      : `threats: ${problems.length} problems in ${rows} rows`,
  );
  process.exitCode = problems.length === 0 ? 0 : 1;
}
