// @ts-check
/**
 * `npm run pack [-- FOLDER]`: writes every package as a .tgz and the software bill of materials (CycloneDX, what is
 * installed at a user's, without tools for development) to FOLDER, `release` unless told otherwise.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const target = resolve(process.argv[2] ?? join(ROOT, 'release'));
const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

/**
 * The compiler never removes what it once wrote; a package must not carry modules whose source is gone.
 * @param {string} folder of a package
 */
function removeLeftovers(folder) {
  const output = join(folder, 'dist');
  for (const entry of readdirSync(output, { withFileTypes: true, recursive: true })) {
    const match = /^(.+?)(\.d\.ts|\.js)(\.map)?$/.exec(entry.name);
    if (!entry.isFile() || !match) continue;
    const source = join(folder, 'src', entry.parentPath.slice(output.length), match[1] ?? '');
    if (!existsSync(`${source}.ts`) && !existsSync(`${source}.tsx`)) rmSync(join(entry.parentPath, entry.name));
  }
}

/** @param {string[]} args */
function npm(args) {
  return execFileSync('npm', args, {
    cwd: ROOT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 64 * 1024 * 1024,
  });
}

const packages = readdirSync(join(ROOT, 'packages')).map((name) => join(ROOT, 'packages', name));
for (const folder of packages) if (existsSync(join(folder, 'dist', '.tsbuildinfo'))) removeLeftovers(folder);
mkdirSync(target, { recursive: true });
for (const name of readdirSync(target)) if (/\.(tgz|cdx\.json)$/.test(name)) rmSync(join(target, name));
npm(['pack', '--workspaces', '--pack-destination', target, '--silent']);
writeFileSync(
  join(target, `sallyport-${version}.cdx.json`),
  npm(['sbom', '--sbom-format', 'cyclonedx', '--sbom-type', 'application', '--omit', 'dev']),
);
for (const name of readdirSync(target).sort()) console.log(join(target, name));
