// @ts-check
/** How large the device SDK may be where it is installed, and where it is bundled. Measured by the tests, printed in docs/reference. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'rolldown';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const KIB = 1024;
const MIB = 1024 * KIB;

/** Bytes. Raise one only with a reason that users would accept. */
export const BOUNDS = {
  /** `npm install @sallyport/device`: the package and everything that it needs, without what is optional. */
  installed: 16 * MIB,
  /** Packages that are installed, itself among them. */
  packages: 85,
  /** A program for Node in one file, minified: everything that the package exports. */
  bundledForNode: 1100 * KIB,
  /** A page that connects a device, minified and compressed as it travels. */
  page: 130 * KIB,
  /** The same, once it also signs and seals. */
  protectedPage: 220 * KIB,
};

/** @typedef {{ dependencies?: Record<string, string>, link?: boolean, resolved?: string }} Locked */

/**
 * Folders of everything that a user of the package gets, as the lock file says.
 * @param {string} name of a package of this repository
 * @returns {string[]} relative to the root
 */
export function installedFolders(name) {
  /** @type {{ packages: Record<string, Locked> }} */
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));
  /** @type {Set<string>} */
  const found = new Set();
  /** @param {string} wanted @param {string} from */
  const locate = (wanted, from) => {
    for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf('node_modules') - 1))) {
      const path = at === '' ? `node_modules/${wanted}` : `${at}/node_modules/${wanted}`;
      const entry = lock.packages[path];
      if (entry) return entry.link ? String(entry.resolved) : path;
      if (at === '') throw new Error(`${wanted}, which ${from} needs, is not locked`);
      if (!at.includes('node_modules')) at = '';
    }
  };
  /** @param {string} path */
  const walk = (path) => {
    if (found.has(path)) return;
    found.add(path);
    for (const wanted of Object.keys(lock.packages[path]?.dependencies ?? {})) walk(locate(wanted, path));
  };
  walk(`packages/${name}`);
  return [...found].sort();
}

/** @param {string} folder relative to the root @returns {number} bytes that a user gets of it */
function bytesOf(folder) {
  const own = folder.startsWith('packages/');
  let bytes = 0;
  for (const entry of readdirSync(join(ROOT, folder), { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name).slice(join(ROOT, folder).length + 1);
    if (!entry.isFile() || path.startsWith('node_modules')) continue;
    // Of our own packages only what `npm pack` takes.
    if (own && !/^(package\.json|README\.md|dist\/(?!\.tsbuildinfo).*)$/.test(path)) continue;
    bytes += statSync(join(entry.parentPath, entry.name)).size;
  }
  return bytes;
}

/** @returns {{ packages: number, bytes: number }} */
export function installedSize() {
  const folders = installedFolders('device');
  return { packages: folders.length, bytes: folders.reduce((sum, folder) => sum + bytesOf(folder), 0) };
}

/**
 * Bundles a text as a program would be.
 * @param {string} code
 * @param {'node' | 'browser'} platform
 */
async function bundled(code, platform) {
  const entry = '\0entry';
  const { output } = await build({
    input: 'entry',
    platform,
    external: [/^node:/],
    plugins: [
      {
        name: 'entry',
        resolveId: (id) => (id === 'entry' ? entry : undefined),
        load: (id) => (id === entry ? code : undefined),
      },
    ],
    cwd: join(ROOT, 'packages', 'device'),
    resolve: {
      conditionNames: [...(platform === 'browser' ? ['browser'] : ['node']), '@sallyport/source', 'import', 'module'],
    },
    output: { minify: true, format: 'esm' },
    logLevel: 'silent',
    write: false,
  });
  return output.filter((each) => each.type === 'chunk');
}

/** @returns {Promise<number>} bytes of everything that the package exports, in one program for Node */
export async function bundledForNode() {
  const source = JSON.stringify(join(ROOT, 'packages/device/src/index.ts'));
  const chunks = await bundled(`export * from ${source};`, 'node');
  return chunks.reduce((sum, { code }) => sum + Buffer.byteLength(code), 0);
}

/**
 * What a page that connects a device loads at once, and what it loads when it protects it too; both compressed.
 * @returns {Promise<{ page: number, protectedPage: number, code: string }>}
 */
export async function pageSizes() {
  const source = JSON.stringify(join(ROOT, 'packages/device/src/browser.ts'));
  const chunks = await bundled(`export { connectDevice } from ${source};`, 'browser');
  /** @type {Map<string, (typeof chunks)[number]>} */
  const byName = new Map(chunks.map((chunk) => [chunk.fileName, chunk]));
  /** @param {string[]} names */
  const loaded = (names) => {
    /** @type {Set<string>} */
    const wanted = new Set();
    /** @param {string} name */
    const walk = (name) => {
      if (wanted.has(name)) return;
      wanted.add(name);
      for (const other of byName.get(name)?.imports ?? []) walk(other);
    };
    for (const name of names) walk(name);
    return [...wanted].map((name) => byName.get(name)?.code ?? `import "${name}"`).join('\n');
  };
  const entries = chunks.filter(({ isEntry }) => isEntry).map(({ fileName }) => fileName);
  const guards = chunks.filter(({ name }) => name === 'protection').map(({ fileName }) => fileName);
  const code = loaded(entries);
  return {
    code,
    page: gzipSync(code).length,
    protectedPage: gzipSync(loaded([...entries, ...guards])).length,
  };
}
