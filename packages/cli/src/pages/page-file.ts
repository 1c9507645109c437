import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, extname, join } from 'node:path';
import { Failure } from '@sallyport/model';

/** The pages that `@sallyport/web` has. */
export type PageName = 'desk' | 'device';

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

/** A file of the page; undefined if there is none of that path. */
export async function pageFile(
  page: PageName,
  path: string,
): Promise<{ readonly bytes: Buffer; readonly contentType: string } | undefined> {
  const name = path === '/' ? `${page}.html` : /^\/(assets\/[\w-][\w.-]*)$/.exec(path)?.[1];
  const contentType = name === undefined ? undefined : CONTENT_TYPES[extname(name)];
  if (name === undefined || contentType === undefined) return undefined;
  try {
    return { bytes: await readFile(join(folder(page), name)), contentType };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function folder(page: PageName): string {
  try {
    return dirname(createRequire(import.meta.url).resolve(`@sallyport/web/pages/${page}.html`));
  } catch (error) {
    throw new Failure('not_found', 'The pages are not built.', {
      cause: error,
      cure: 'Run `npm run build` in the clone, or install the package @sallyport/web.',
    });
  }
}
