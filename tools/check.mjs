// @ts-check
/** `npm run check`: every check runs even if one before it failed; one line each, and the output of those that failed. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** @param {string} path */
const installed = (path) => join(ROOT, 'node_modules', path);

/** @type {{ name: string, command: string[] }[]} */
const CHECKS = [
  {
    name: 'format and lint',
    command: [installed('@biomejs/biome/bin/biome'), 'ci', '--colors=off', '--diagnostic-level=warn', '.'],
  },
  {
    name: 'types of tests',
    command: [installed('typescript7/bin/tsc'), '-p', 'tsconfig.tests.json', '--pretty', 'false'],
  },
  {
    name: 'types of pages',
    command: [installed('typescript7/bin/tsc'), '-p', join('packages', 'web'), '--pretty', 'false'],
  },
  { name: 'floors', command: ['tools/check-floors.mjs'] },
  { name: 'threats', command: ['tools/check-threats.mjs'] },
  { name: 'links', command: ['tools/check-links.mjs'] },
  { name: 'conformance', command: ['tools/check-conformance.mjs'] },
  { name: 'dead code', command: [installed('knip/bin/knip.js'), '--no-progress', '--treat-config-hints-as-errors'] },
  { name: 'generated docs', command: ['tools/generate-reference.mjs', '--check'] },
  { name: 'typed lint', command: [installed('eslint/bin/eslint.js'), '--max-warnings=0', '.'] },
];

/**
 * @param {string[]} command
 * @returns {Promise<{ code: number, output: string }>}
 */
function run(command) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, command, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    /** @type {Buffer[]} */
    const chunks = [];
    child.stdout.on('data', (chunk) => chunks.push(chunk));
    child.stderr.on('data', (chunk) => chunks.push(chunk));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code: code ?? 1, output: Buffer.concat(chunks).toString('utf8').trim() }));
  });
}

const only = process.argv.slice(2);
const unknown = only.filter((name) => !CHECKS.some((check) => check.name === name));
if (unknown.length > 0) {
  console.error(
    `no check is called ${unknown.join(', ')}; there are: ${CHECKS.map(({ name }) => `"${name}"`).join(', ')}`,
  );
  process.exit(2);
}
/** @type {string[]} */
const failed = [];
for (const { name, command } of CHECKS) {
  if (only.length > 0 && !only.includes(name)) continue;
  const started = Date.now();
  const { code, output } = await run(command);
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  console.log(`${code === 0 ? 'ok  ' : 'FAIL'}  ${name.padEnd(16)} ${seconds.padStart(5)} s`);
  if (code === 0) continue;
  failed.push(name);
  console.log(`\n${output}\n`);
}
console.log(failed.length === 0 ? 'All checks hold.' : `Failed: ${failed.join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;
