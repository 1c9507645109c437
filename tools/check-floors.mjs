// @ts-check
/**
 * Fails on an import that leaves the architecture: a climb, a step sideways, a cycle, a look into another package past
 * its public door, a barrel, or a file whose name says nothing. `docs/design/architecture.md` gives the reasons.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import ts from 'typescript';

/**
 * @typedef {{ file: string, line: number, problem: string }} Problem `file` is relative to the root of the repository.
 * @typedef {{ specifier: string, line: number, atOnce: boolean }} Import `atOnce`: loaded with the file that says it.
 * @typedef {{ path: string, text: string, imports: Import[], onlyReexports: boolean, exportsAll: number | undefined }} Source
 * @typedef {{ name: string, folder: string, doors: Map<string, string> }} Package `doors`: export subpath to source file.
 */

/** Which package may lean on which: the repository section of the architecture page. @type {Record<string, string[]>} */
export const PACKAGES = {
  model: [],
  mqtt: [],
  policy: ['model'],
  trust: ['model'],
  server: ['model', 'mqtt', 'policy', 'trust'],
  device: ['model', 'trust'],
  application: ['model', 'trust', 'device'],
  cli: ['model', 'mqtt', 'policy', 'trust', 'server', 'device', 'application'],
  web: ['model', 'policy', 'application'],
};

/**
 * Doors that are opened only where they are gone through, with `await import(…)`: what is behind them takes longer to load than most commands to
 * do their work. @type {Record<string, string[]>}
 */
export const OPENED_LATE = { cli: ['server'] };

/** These import no other software at all, not even Node's. */
const PURE = new Set(['model']);
/** These must run in a browser. */
const WITHOUT_NODE = new Set(['model', 'policy', 'web']);

/** The floors inside packages/server/src. @type {Record<string, number>} */
export const FLOORS = {
  wiring: 4,
  workers: 4,
  listeners: 3,
  http: 3,
  broker: 2,
  oauth: 2,
  authentication: 1,
  authorization: 1,
  registry: 1,
  authority: 1,
  firmware: 1,
  incidents: 1,
  lists: 1,
  guessing: 1,
  directories: 1,
  audit: 1,
  metrics: 1,
  events: 0,
  storage: 0,
  bus: 0,
  config: 0,
  outbound: 0,
};
const ROOF = 4;
const ROOF_FILES = new Set(['server.ts', 'installation.ts', 'explain-offline.ts', 'index.ts']);

const BANNED = new Set([
  'util',
  'utils',
  'helper',
  'helpers',
  'common',
  'shared',
  'manager',
  'base',
  'impl',
  'data',
  'misc',
]);
const BANNED_SUFFIX = /-(utils?|helpers?|manager|impl|base|misc)$/;
const KEBAB = /^[a-z0-9]+(-[a-z0-9]+)*$/;

/**
 * All TypeScript files below a folder.
 * @param {string} folder
 * @returns {string[]}
 */
function filesBelow(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name) && !entry.name.endsWith('.d.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.includes(`${sep}node_modules${sep}`) && !path.includes(`${sep}dist${sep}`))
    .sort();
}

/**
 * @param {string} path
 * @returns {Source}
 */
function readSource(path) {
  const text = readFileSync(path, 'utf8');
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, false);
  /** @type {Import[]} */
  const imports = [];
  /** @type {number | undefined} */
  let exportsAll;
  /** @param {ts.Node} node */
  const lineOf = (node) => tree.getLineAndCharacterOfPosition(node.getStart(tree)).line + 1;
  /** @param {ts.Node} node */
  const visit = (node) => {
    let target;
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) target = node.moduleSpecifier;
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) target = node.argument.literal;
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      target = node.arguments[0];
    if (target && ts.isStringLiteralLike(target)) {
      const atOnce =
        (ts.isImportDeclaration(node) && node.importClause?.isTypeOnly !== true) ||
        (ts.isExportDeclaration(node) && !node.isTypeOnly);
      imports.push({ specifier: target.text, line: lineOf(node), atOnce });
    }
    if (ts.isExportDeclaration(node) && node.moduleSpecifier && !node.exportClause) exportsAll ??= lineOf(node);
    ts.forEachChild(node, visit);
  };
  visit(tree);
  const onlyReexports =
    tree.statements.length > 0 &&
    tree.statements.every((statement) => ts.isExportDeclaration(statement) && statement.moduleSpecifier !== undefined);
  return { path, text, imports, onlyReexports, exportsAll };
}

/**
 * @param {string} root
 * @returns {Package[]}
 */
function readPackages(root) {
  const folder = join(root, 'packages');
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(folder, entry.name, 'package.json')))
    .map((entry) => {
      const description = JSON.parse(readFileSync(join(folder, entry.name, 'package.json'), 'utf8'));
      /** @type {Map<string, string>} */
      const doors = new Map();
      for (const [subpath, target] of Object.entries(description.exports ?? {})) {
        const source = target['@sallyport/source'];
        if (source) doors.set(subpath, resolve(folder, entry.name, source));
      }
      return { name: entry.name, folder: join(folder, entry.name), doors };
    });
}

/**
 * The floor of a file of the server, or what is wrong with its place.
 * @param {string} inside path below packages/server/src
 * @returns {{ name: string, floor: number } | { problem: string }}
 */
function placeOf(inside) {
  const [first = '', ...rest] = inside.split(sep);
  if (rest.length === 0) {
    if (ROOF_FILES.has(first)) return { name: first, floor: ROOF };
    return {
      problem: `only ${[...ROOF_FILES].join(', ')} stand on the roof of the server; move this file into a folder of a floor`,
    };
  }
  const floor = FLOORS[first];
  if (floor === undefined) {
    return {
      problem: `the folder ${first}/ has no floor; add it to the architecture page and to tools/check-floors.mjs, or use a folder that is there`,
    };
  }
  return { name: first, floor };
}

/**
 * @param {string} from folder and floor of the importing file
 * @param {string} to
 * @returns {string | undefined}
 */
function floorProblem(from, to) {
  const importer = placeOf(from);
  const imported = placeOf(to);
  if ('problem' in importer || 'problem' in imported) return undefined;
  if (importer.floor === ROOF || importer.name === imported.name) return undefined;
  if (imported.floor > importer.floor) {
    return `${importer.name} may not import ${imported.name}: floor ${importer.floor} must not climb to floor ${imported.floor}; take a function in the options and let server.ts pass it`;
  }
  if (imported.floor === importer.floor) {
    return `${importer.name} may not import ${imported.name}: both stand on floor ${importer.floor}, and imports never go sideways; take a function in the options and let server.ts pass it`;
  }
  return undefined;
}

/**
 * @param {Package} owner
 * @param {Package[]} packages
 * @param {Import} one
 * @returns {string | undefined}
 */
function packageProblem(owner, packages, { specifier, atOnce }) {
  const match = /^@sallyport\/([^/]+)(?:\/(.+))?$/.exec(specifier);
  if (match) {
    const [, name = '', subpath] = match;
    if (name === owner.name)
      return `a package does not import itself by name; import the file that is meant instead of ${specifier}`;
    const allowed = PACKAGES[owner.name] ?? [];
    if (!allowed.includes(name)) {
      const list = allowed.length === 0 ? 'no other package' : allowed.join(', ');
      return `package ${owner.name} may not import package ${name}; it may import ${list}`;
    }
    if (atOnce && OPENED_LATE[owner.name]?.includes(name))
      return `package ${owner.name} loads ${name} only where it needs it: \`const { … } = await import('${specifier}')\``;
    const target = packages.find((each) => each.name === name);
    const door = subpath === undefined ? '.' : `./${subpath}`;
    if (target && !target.doors.has(door))
      return `${specifier} is not a public door of ${name}; its doors: ${[...target.doors.keys()].join(', ')}`;
    return undefined;
  }
  const isNode = specifier.startsWith('node:') || builtinModules.includes(specifier);
  if (isNode && WITHOUT_NODE.has(owner.name))
    return `package ${owner.name} runs in a browser and may not import ${specifier}`;
  if (PURE.has(owner.name)) return `package ${owner.name} imports nothing, and ${specifier} is something`;
  return undefined;
}

/**
 * @param {string} root
 * @param {string} path
 * @returns {string | undefined}
 */
function nameProblem(root, path) {
  const inside = relative(root, path).split(sep).slice(3);
  for (const part of inside) {
    const name = part.replace(/(\.[a-z]+)?(\.test)?\.tsx?$/, '');
    if (BANNED.has(name) || BANNED_SUFFIX.test(name) || /^handle[A-Z-]/.test(name)) {
      return `"${name}" says nothing about what is in it; name it for the noun or verb that it exports`;
    }
    if (!KEBAB.test(name)) return `"${name}" is not in kebab-case`;
  }
  return undefined;
}

/**
 * Groups of files that import each other in a circle (Tarjan's strongly connected components).
 * @param {Map<string, string[]>} graph
 * @returns {string[][]}
 */
function circles(graph) {
  /** @type {Map<string, { index: number, low: number, open: boolean }>} */
  const seen = new Map();
  /** @type {string[]} */
  const stack = [];
  /** @type {string[][]} */
  const found = [];
  /** @param {string} node */
  const visit = (node) => {
    const state = { index: seen.size, low: seen.size, open: true };
    seen.set(node, state);
    stack.push(node);
    for (const next of graph.get(node) ?? []) {
      const known = seen.get(next);
      if (!known) state.low = Math.min(state.low, visit(next));
      else if (known.open) state.low = Math.min(state.low, known.index);
    }
    if (state.low === state.index) {
      const members = stack.splice(stack.indexOf(node));
      for (const member of members) {
        const done = seen.get(member);
        if (done) done.open = false;
      }
      if (members.length > 1 || graph.get(node)?.includes(node)) found.push(members);
    }
    return state.low;
  };
  for (const node of graph.keys()) if (!seen.has(node)) visit(node);
  return found;
}

/**
 * Checks the packages of a repository.
 * @param {string} root
 * @returns {{ files: number, problems: Problem[] }}
 */
export function checkFloors(root) {
  /** @type {Problem[]} */
  const problems = [];
  const packages = readPackages(root);
  /** @type {Map<string, string[]>} */
  const graph = new Map();
  let files = 0;
  /** @param {string} path @param {number} line @param {string | undefined} problem */
  const report = (path, line, problem) => {
    if (problem !== undefined) problems.push({ file: relative(root, path), line, problem });
  };

  for (const owner of packages) {
    const manifest = join(owner.folder, 'package.json');
    if (!PACKAGES[owner.name]) {
      report(
        manifest,
        1,
        `package ${owner.name} is not part of the house; a new package needs a decision record and a row in tools/check-floors.mjs`,
      );
      continue;
    }
    const source = join(owner.folder, 'src');
    const serverSource = owner.name === 'server' ? source : undefined;
    const doors = new Set(owner.doors.values());
    for (const path of [...filesBelow(source), ...filesBelow(join(owner.folder, 'test'))]) {
      files += 1;
      report(path, 1, nameProblem(root, path));
      const { imports, onlyReexports, exportsAll } = readSource(path);
      const isSource = path.startsWith(source + sep);
      if (isSource && !doors.has(path)) {
        if (basename(path, '.ts') === 'index')
          report(path, 1, 'index.ts is for the public doors of a package only; name the file for what it exports');
        else if (onlyReexports)
          report(path, 1, 'this file only hands on what others export (a barrel); import those files themselves');
        else if (exportsAll !== undefined)
          report(path, exportsAll, '`export *` is for the public doors of a package only');
      }
      if (isSource && serverSource) {
        const place = placeOf(relative(serverSource, path));
        if ('problem' in place) report(path, 1, place.problem);
      }
      /** @type {string[]} */
      const edges = [];
      for (const one of imports) {
        const { specifier, line } = one;
        if (!specifier.startsWith('.')) {
          // Tests may use any package: a test of the codec compares it with others.
          if (isSource) report(path, line, packageProblem(owner, packages, one));
          continue;
        }
        const target = resolve(dirname(path), specifier);
        const stranger = packages.find((each) => each !== owner && target.startsWith(each.folder + sep));
        if (stranger) {
          report(
            path,
            line,
            `${specifier} looks into package ${stranger.name} past its public door; import @sallyport/${stranger.name}`,
          );
        } else if (isSource && !target.startsWith(source + sep)) {
          report(path, line, `${specifier} leads out of the sources of package ${owner.name}`);
        } else if (isSource) {
          edges.push(target);
          if (serverSource)
            report(path, line, floorProblem(relative(serverSource, path), relative(serverSource, target)));
        }
      }
      if (isSource) graph.set(path, edges);
    }
  }
  for (const members of circles(graph)) {
    const names = members.map((path) => relative(root, path)).sort();
    problems.push({
      file: names[0] ?? '',
      line: 1,
      problem: `files import each other in a circle: ${names.join(' <-> ')}; move what both need into a file of its own`,
    });
  }
  problems.sort((one, other) => one.file.localeCompare(other.file) || one.line - other.line);
  return { files, problems };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { files, problems } = checkFloors(fileURLToPath(new URL('..', import.meta.url)));
  for (const { file, line, problem } of problems) console.error(`${file}:${line}: ${problem}`);
  console.log(
    problems.length === 0
      ? `floors: ${files} files, every import goes down`
      : `floors: ${problems.length} problems in ${files} files`,
  );
  process.exitCode = problems.length === 0 ? 0 : 1;
}
