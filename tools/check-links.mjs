// @ts-check
/** Fails on a link between pages that leads nowhere: to a file or a heading that is not there. Addresses on the web are not asked. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const FOLDERS = ['docs', 'examples', 'bench', 'packages'];

/**
 * @param {string} root
 * @returns {string[]}
 */
function pagesOf(root) {
  const above = readdirSync(root).map((name) => join(root, name));
  const below = FOLDERS.map((name) => join(root, name))
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder, { recursive: true }).map((name) => join(folder, String(name))));
  return [...above, ...below].filter((path) => path.endsWith('.md') && !path.includes(`${sep}node_modules${sep}`));
}

/** Blanks out blocks of code, in which brackets are no links and `#` begins no heading; lines stay where they are. @param {string} text */
function proseOf(text) {
  return text.replace(/^( *)```[\s\S]*?^\1```/gm, (block) => block.replace(/[^\n]/g, ' '));
}

/**
 * The names under which the headings of a page can be linked to.
 * @param {string} prose
 * @returns {Set<string>}
 */
function headingsOf(prose) {
  /** @type {Map<string, number>} */
  const times = new Map();
  const names = [...prose.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => {
    const name = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .trim()
      .replaceAll(' ', '-');
    const before = times.get(name) ?? 0;
    times.set(name, before + 1);
    return before === 0 ? name : `${name}-${before}`;
  });
  return new Set(names);
}

/**
 * Checks the pages of a repository.
 * @param {string} root
 * @returns {{ links: number, problems: string[] }}
 */
export function checkLinks(root) {
  /** @type {string[]} */
  const problems = [];
  let links = 0;
  for (const page of pagesOf(root)) {
    const prose = proseOf(readFileSync(page, 'utf8'));
    for (const match of prose.matchAll(/\]\(([^)\s]+)\)/g)) {
      const [, link = ''] = match;
      if (/^[a-z][a-z+.-]*:/i.test(link)) continue;
      links += 1;
      const [path = '', heading] = link.split('#');
      const target = path === '' ? page : resolve(dirname(page), path);
      const line = prose.slice(0, match.index).split('\n').length;
      const where = `${relative(root, page)}:${line}`;
      if (!existsSync(target)) problems.push(`${where}: ${link} leads to no file`);
      else if (heading !== undefined && target.endsWith('.md')) {
        if (!headingsOf(proseOf(readFileSync(target, 'utf8'))).has(heading))
          problems.push(`${where}: there is no heading #${heading} in ${relative(root, target)}`);
      }
    }
  }
  return { links, problems };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { links, problems } = checkLinks(fileURLToPath(new URL('..', import.meta.url)));
  for (const problem of problems) console.error(problem);
  console.log(
    `links: ${links} between pages, ${problems.length === 0 ? 'all of them lead somewhere' : `${problems.length} lead nowhere`}`,
  );
  process.exitCode = problems.length === 0 ? 0 : 1;
}
