// @ts-check
/** Packs the packages, installs them in an empty folder as a user would, and runs the `sallyport` command from there. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const folder = mkdtempSync(join(tmpdir(), 'sallyport-packages-'));

/** @param {string} program @param {string[]} args @param {string} cwd */
function run(program, args, cwd) {
  return execFileSync(program, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}

/** @param {string} what @param {string} output @param {string} wanted */
function expectIn(what, output, wanted) {
  if (!output.includes(wanted)) throw new Error(`\`${what}\` should say "${wanted}" and said:\n${output}`);
  console.log(`ok  ${what}`);
}

try {
  run(process.execPath, [join(ROOT, 'tools', 'pack.mjs'), join(folder, 'packed')], ROOT);
  const archives = readdirSync(join(folder, 'packed')).filter((name) => name.endsWith('.tgz'));
  const listing = archives.map((name) => run('tar', ['-tzf', join(folder, 'packed', name)], folder)).join('');
  const stray = listing.split('\n').filter((path) => /tsbuildinfo|\.test\.|\/src\/|\.pem$|\.db$/.test(path));
  if (stray.length > 0) throw new Error(`these files do not belong into a package:\n${stray.join('\n')}`);
  run('npm', ['init', '-y'], folder);
  const paths = archives.map((name) => `./packed/${name}`);
  run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', ...paths], folder);
  console.log(`ok  npm install of ${archives.length} packages`);
  expectIn('npx sallyport version', run('npx', ['--no-install', 'sallyport', 'version'], folder), version);
  expectIn('npx sallyport --help', run('npx', ['--no-install', 'sallyport', '--help'], folder), 'start');
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
