// @ts-check
/**
 * Fails if a normative statement of tests/conformance/statements.ts has no test that carries its id. A test carries ids in
 * its name: `[3.1.1 MQTT-3.1.2-24] [5 MQTT-3.1.2-22, MQTT-3.2.2-21] …`. The other way round, an id in a name must be listed.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import typescript from 'typescript';

const STATEMENTS = 'tests/conformance/statements.ts';

/**
 * @typedef {readonly [id: string, area: string, gist: string, stricter?: string]} Row
 * @typedef {{ AREAS: Readonly<Record<string, string>>, BELOW_5: readonly Row[], FIVE: readonly Row[] }} Statements
 */

/**
 * @param {string} root
 * @returns {Promise<Statements>}
 */
export function readStatements(root) {
  const source = readFileSync(join(root, STATEMENTS), 'utf8');
  const { outputText } = typescript.transpileModule(source, {
    compilerOptions: { module: typescript.ModuleKind.ESNext, target: typescript.ScriptTarget.ES2022 },
  });
  return import(`data:text/javascript;base64,${Buffer.from(outputText).toString('base64')}`);
}

/**
 * Ids in the names of tests, as `5 MQTT-3.1.2-22`, and for each the first name that carries it.
 * @param {string} text of a test file
 * @returns {Map<string, string>}
 */
export function idsIn(text) {
  /** @type {Map<string, string>} */
  const found = new Map();
  for (const line of text.split('\n')) {
    if (line.trimStart().startsWith('//')) continue;
    for (const [, version, ids] of line.matchAll(/\[(3\.1\.1|5) (MQTT-[\d.-]+(?:, MQTT-[\d.-]+)*)\]/g)) {
      const name = /(['"`])((?:(?!\1).)*\[(?:3\.1\.1|5) MQTT-(?:(?!\1).)*)\1/.exec(line)?.[2] ?? line.trim();
      const words = name.replace(/\[(?:3\.1\.1|5) [^\]]*\]/g, '').replace(/\s+/g, ' ');
      for (const id of (ids ?? '').split(', ')) {
        if (!found.has(`${version} ${id}`))
          found.set(`${version} ${id}`, words.replace(/,? level (%i|\$level)$/, '').trim());
      }
    }
  }
  return found;
}

/**
 * @param {string} root
 * @returns {Promise<{ rows: number, problems: string[] }>}
 */
export async function checkConformance(root) {
  const { AREAS, BELOW_5, FIVE } = await readStatements(root);
  /** @type {string[]} */
  const problems = [];
  /** @type {Map<string, Map<string, string>>} */
  const carried = new Map();
  for (const [area, path] of Object.entries(AREAS)) {
    if (existsSync(join(root, path))) carried.set(area, idsIn(readFileSync(join(root, path), 'utf8')));
    else problems.push(`${STATEMENTS}: the area ${area} names ${path}, which does not exist`);
  }
  /** @type {Set<string>} */
  const listed = new Set();
  for (const [version, rows] of /** @type {const} */ ([
    ['3.1.1', BELOW_5],
    ['5', FIVE],
  ])) {
    for (const [id, area] of rows) {
      const name = `${version} MQTT-${id}`;
      if (listed.has(name)) problems.push(`${STATEMENTS}: ${name} stands there twice`);
      listed.add(name);
      if (!carried.get(area)?.has(name))
        problems.push(`${name} has no test in ${AREAS[area] ?? area} that carries its id`);
    }
  }
  const folder = join(root, 'tests', 'conformance');
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.test.ts'))) {
    for (const name of idsIn(readFileSync(join(folder, file), 'utf8')).keys()) {
      if (!listed.has(name))
        problems.push(`tests/conformance/${file} carries ${name}, which ${STATEMENTS} does not list`);
    }
  }
  return { rows: listed.size, problems };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { rows, problems } = await checkConformance(fileURLToPath(new URL('..', import.meta.url)));
  for (const problem of problems) console.error(problem);
  console.log(
    problems.length === 0
      ? `conformance: ${rows} statements, each with a test`
      : `conformance: ${problems.length} problems in ${rows} statements`,
  );
  process.exitCode = problems.length === 0 ? 0 : 1;
}
