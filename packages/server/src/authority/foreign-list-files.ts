import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ListPlace } from './foreign-source.ts';

/** Keeps fetched lists over a restart: without them a server would begin by knowing nothing of anybody. */
export interface ForeignListFiles {
  load(): Promise<readonly { readonly place: ListPlace; readonly der?: Uint8Array }[]>;
  /** `key` is hexadecimal. */
  save(key: string, place: ListPlace, der: Uint8Array): Promise<void>;
  remove(key: string): Promise<void>;
}

/**
 * In a folder of their own. The lists are public and signed; they are verified again when they are read, and what was lost or
 * damaged is fetched again: nothing here has to be durable.
 */
export function foreignListFiles(directory: string): ForeignListFiles {
  const write = async (path: string, bytes: string | Uint8Array): Promise<void> => {
    const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
    await writeFile(temporary, bytes, { mode: 0o600 });
    await rename(temporary, path);
  };
  return {
    async load() {
      const names = await readdir(directory).catch(() => []);
      const found: { place: ListPlace; der?: Uint8Array }[] = [];
      for (const name of names) {
        const key = /^([0-9a-f]{64})\.json$/.exec(name)?.[1];
        const place =
          key === undefined ? undefined : placeOf(await readFile(join(directory, name), 'utf8').catch(() => ''));
        if (!place) continue;
        const der = await readFile(join(directory, `${key}.crl`)).catch(() => undefined);
        found.push({ place, ...(der ? { der } : {}) });
      }
      return found;
    },
    async save(key, { issuer, ...place }, der) {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      await write(join(directory, `${key}.crl`), der);
      await write(
        join(directory, `${key}.json`),
        JSON.stringify({ ...place, issuer: Buffer.from(issuer).toString('base64') }),
      );
    },
    async remove(key) {
      await rm(join(directory, `${key}.json`), { force: true });
      await rm(join(directory, `${key}.crl`), { force: true });
    },
  };
}

function placeOf(text: string): ListPlace | undefined {
  try {
    const read = JSON.parse(text) as Record<keyof ListPlace, unknown>;
    const { authority, issuer, issuerNameHash, url } = read;
    if (![authority, issuer, issuerNameHash, url].every((value) => typeof value === 'string')) return undefined;
    return { ...(read as unknown as ListPlace), issuer: Buffer.from(issuer as string, 'base64') };
  } catch {
    return undefined;
  }
}
