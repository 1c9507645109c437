// @ts-check
/**
 * Makes a clone ready to run: installs the packages of package-lock.json if they are not installed, makes sure that the
 * SQLite driver fits the running Node, and compiles. Needs nothing but Node and npm, and does nothing twice.
 */
import { spawn } from 'node:child_process';
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const LOCK = join(ROOT, '.prepare.lock');
const PACKAGE_LOCK = join(ROOT, 'package-lock.json');
const INSTALLED_LOCK = join(ROOT, 'node_modules', '.package-lock.json');

/** Something that the user can put right: printed without a stack. */
class Trouble extends Error {}

/** @param {string} text */
function say(text) {
  process.stderr.write(`${text}\n`);
}

/**
 * Runs a program of Node with this Node and collects what it prints.
 * @param {string[]} args
 * @param {{ announce?: string, announceAfter?: number, env?: NodeJS.ProcessEnv }} [options] `announceAfter` in milliseconds.
 * @returns {Promise<{ code: number, output: string }>}
 */
async function run(args, options = {}) {
  const started = Date.now();
  let announced = false;
  const announce = () => {
    if (options.announce === undefined) return;
    if (!announced) say(`${options.announce}…`);
    else say(`  still at it (${Math.round((Date.now() - started) / 1000)} s)`);
    announced = true;
  };
  const first = setTimeout(announce, options.announceAfter ?? 0);
  const again = setInterval(announce, 20_000);
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    env: options.env ?? process.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  /** @type {Buffer[]} */
  const chunks = [];
  child.stdout.on('data', (chunk) => chunks.push(chunk));
  child.stderr.on('data', (chunk) => chunks.push(chunk));
  try {
    const code = await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (exit, signal) => resolve(exit ?? (signal ? 1 : 0)));
    });
    if (announced && code === 0) say(`  done in ${((Date.now() - started) / 1000).toFixed(0)} s`);
    return { code, output: Buffer.concat(chunks).toString('utf8') };
  } finally {
    clearTimeout(first);
    clearInterval(again);
  }
}

/** The npm that runs this script, or the one beside the running Node. */
function npmProgram() {
  const running = process.env.npm_execpath;
  if (running && basename(running) === 'npm-cli.js' && existsSync(running)) return running;
  const folder = join(process.execPath, '..');
  const places = [
    join(folder, '..', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js'),
    join(folder, 'node_modules', 'npm', 'bin', 'npm-cli.js'),
    '/usr/share/nodejs/npm/bin/npm-cli.js',
    '/usr/local/lib/node_modules/npm/bin/npm-cli.js',
    '/usr/lib/node_modules/npm/bin/npm-cli.js',
  ];
  const found = places.find((place) => existsSync(place));
  if (!found)
    throw new Trouble(
      'npm was not found. Run `npm install --no-save --include=dev` in this folder yourself, then try again.',
    );
  return found;
}

/**
 * Why packages have to be installed, or undefined if what is there is what package-lock.json asks for.
 * @returns {string | undefined}
 */
function missingPackages() {
  if (!existsSync(INSTALLED_LOCK)) return 'first run';
  /** @type {[string, { version?: string, integrity?: string, link?: boolean, optional?: boolean, devOptional?: boolean }][]} */
  const wanted = Object.entries(JSON.parse(readFileSync(PACKAGE_LOCK, 'utf8')).packages);
  const installed = JSON.parse(readFileSync(INSTALLED_LOCK, 'utf8')).packages;
  for (const [path, entry] of wanted) {
    // Packages for other machines and optional ones that could not be built are rightly absent.
    if (!path.includes('node_modules/') || entry.optional || entry.devOptional) continue;
    const present = existsSync(join(ROOT, path, 'package.json'));
    if (!present || (!entry.link && installed[path]?.integrity !== entry.integrity)) {
      return `${path.replace(/^.*node_modules\//, '')} is ${present ? 'outdated' : 'missing'}`;
    }
  }
  return undefined;
}

/**
 * The end of npm's output that tells a person something.
 * @param {string} output
 */
function readable(output) {
  const lines = output.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('npm warn'));
  return lines.slice(-25).join('\n');
}

async function install() {
  const reason = missingPackages();
  if (reason === undefined) return;
  const announce =
    reason === 'first run' ? 'Installing packages (first run, about half a minute)' : `Installing packages (${reason})`;
  // npm believes its own list of what is installed; without it, it looks.
  rmSync(INSTALLED_LOCK, { force: true });
  // Not `npm ci`: it fails wherever a registry lacks an optional package for some other machine. Versions and digests come
  // from package-lock.json either way, and --no-save keeps that file as it is. NODE_ENV=production or an `omit` setting
  // of the user would leave out the compiler, hence the includes.
  const { code, output } = await run(
    // No package needs its install script but the SQLite driver, which is compiled beside the build, and only where it is needed.
    [
      npmProgram(),
      'install',
      '--no-save',
      '--include=dev',
      '--include=optional',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
    ],
    { announce },
  );
  if (code !== 0) {
    throw new Trouble(
      `The packages could not be installed. npm said:\n\n${readable(output)}\n\nCheck the network and the npm registry setting (npm config get registry), then run the same command again.`,
    );
  }
}

function needsSqliteDriver() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  return major < 22 || (major === 22 && minor < 13);
}

/** @returns {string | undefined} why the driver cannot be used */
function sqliteDriverProblem() {
  try {
    const Database = createRequire(join(ROOT, 'packages', 'server', 'package.json'))('better-sqlite3');
    new Database(':memory:').close();
    return undefined;
  } catch (error) {
    return error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
  }
}

/** Node has SQLite built in from 22.13 on; below that, a compiled driver is needed, and it fits one version of Node only. */
async function fitSqliteDriver() {
  if (!needsSqliteDriver() || sqliteDriverProblem() === undefined) return;
  const { code, output } = await run([npmProgram(), 'rebuild', 'better-sqlite3', '--ignore-scripts=false'], {
    // Compiled in a third of the time; what is slower for it is hidden behind the disk.
    env: { JOBS: 'max', CFLAGS: '-O1', CXXFLAGS: '-O1', ...process.env },
    announce: `Compiling the SQLite driver for Node ${process.versions.node} (about a minute)`,
  });
  // A failed load is remembered by the module loader, so a fresh process looks again.
  const probe = await run(['-e', "new (require('better-sqlite3'))(':memory:').close()"]);
  if (probe.code !== 0) {
    throw new Trouble(
      `The SQLite driver (better-sqlite3) cannot be loaded${code === 0 ? '' : ' and could not be compiled'}:\n\n${readable(code === 0 ? probe.output : output)}\n\nInstall a C++ compiler, make and python3, or use Node 22.13 or newer, which has SQLite built in.`,
    );
  }
}

async function build() {
  const compiler = join(ROOT, 'node_modules', 'typescript7', 'bin', 'tsc');
  const { code, output } = await run([compiler, '-b', '--pretty', 'false'], {
    announce: 'Building',
    announceAfter: 1000,
  });
  if (code === 0) return;
  throw new Trouble(`The build failed:\n\n${output.trim()}`);
}

/** The newest change below a folder, or of a file; 0 if there is none. @param {string} path @returns {number} */
function newest(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return 0;
  if (!stat.isDirectory()) return stat.mtimeMs;
  return readdirSync(path).reduce((latest, name) => Math.max(latest, newest(join(path, name))), 0);
}

/** Bundles the pages, if they are older than what they are made of. */
async function buildPages() {
  const web = join(ROOT, 'packages', 'web');
  const built = statSync(join(web, 'dist', 'desk.html'), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const parts = ['src', 'vite.config.ts', 'package.json', 'desk.html', 'device.html', join('..', 'model', 'src')];
  if (built > Math.max(...parts.map((part) => newest(join(web, part))))) return;
  const vite = createRequire(join(web, 'package.json')).resolve('vite/package.json');
  const program = join(dirname(vite), 'bin', 'vite.js');
  const { code, output } = await run(
    [program, 'build', '--config', join(web, 'vite.config.ts'), '--logLevel', 'error'],
    { announce: 'Building the pages', announceAfter: 1000 },
  );
  if (code !== 0) throw new Trouble(`The pages could not be built:\n\n${readable(output)}`);
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}

/**
 * Throws EEXIST if another process has the lock.
 * @param {string} own
 */
function claim(own) {
  try {
    // A hard link appears with its content or not at all.
    linkSync(own, LOCK);
  } catch (error) {
    const { code } = /** @type {NodeJS.ErrnoException} */ (error);
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS') throw error;
    // Some file systems have no hard links.
    writeFileSync(LOCK, String(process.pid), { flag: 'wx' });
  }
}

/**
 * Waits until no other process prepares this clone. A lock whose owner is gone is taken over.
 * @returns {Promise<() => void>} gives the lock back
 */
async function takeLock() {
  const own = `${LOCK}.${process.pid}`;
  writeFileSync(own, String(process.pid));
  const deadline = Date.now() + 15 * 60_000;
  let told = false;
  try {
    for (;;) {
      try {
        claim(own);
        return () => rmSync(LOCK, { force: true });
      } catch (error) {
        if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error;
      }
      const owner = readOwner();
      if (owner !== undefined && !isAlive(owner)) {
        const aside = `${LOCK}.stale-${process.pid}`;
        try {
          renameSync(LOCK, aside);
          // Between reading and renaming, another process may have taken over: then it is put back.
          if (readFileSync(aside, 'utf8') !== String(owner)) linkSync(aside, LOCK);
        } catch {
          // Another process was quicker.
        }
        rmSync(aside, { force: true });
        continue;
      }
      if (!told && owner !== undefined) say(`Waiting for process ${owner}, which prepares this clone…`);
      told = told || owner !== undefined;
      if (Date.now() > deadline)
        throw new Trouble(`Process ${owner} holds ${LOCK} for too long. If it is not a build, remove that file.`);
      await pause(150);
    }
  } finally {
    rmSync(own, { force: true });
  }
}

/** @returns {number | undefined} */
function readOwner() {
  try {
    return Number(readFileSync(LOCK, 'utf8')) || undefined;
  } catch {
    return undefined;
  }
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    throw new Trouble(`Sallyport needs Node 20.19 or newer; this is ${process.version}.`);
  }
}

async function main() {
  checkNode();
  const release = await takeLock();
  const interrupted = () => {
    release();
    process.exit(130);
  };
  process.once('SIGINT', interrupted);
  process.once('SIGTERM', interrupted);
  try {
    mkdirSync(join(ROOT, 'node_modules'), { recursive: true });
    await install();
    await Promise.all([fitSqliteDriver(), build(), buildPages()]);
  } finally {
    release();
  }
}

try {
  await main();
} catch (error) {
  if (error instanceof Trouble) {
    say(`\n${error.message}`);
  } else if (
    /** @type {NodeJS.ErrnoException} */ (error)?.code === 'EACCES' ||
    /** @type {NodeJS.ErrnoException} */ (error)?.code === 'EROFS'
  ) {
    say(`\nThis folder cannot be written: ${/** @type {Error} */ (error).message}\nUse a clone that belongs to you.`);
  } else {
    throw error;
  }
  process.exitCode = 1;
}
