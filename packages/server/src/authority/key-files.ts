import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Failure } from '@sallyport/model';

const OWNER_ONLY_FILE = 0o600;
const OWNER_ONLY_FOLDER = 0o700;
const FOR_OTHERS = 0o077;
const WRITABLE_FOR_OTHERS = 0o022;

/** Makes a folder that only its owner can enter. */
export async function makePrivateFolder(path: string): Promise<void> {
  await onDisk(path, 'made', () => mkdir(path, { recursive: true, mode: OWNER_ONLY_FOLDER }));
}

/**
 * Puts a file in place whole or not at all, readable by its owner only from its first moment.
 *
 * A crash leaves the old file or the new one. A `data_directory_unusable` failure names the path.
 */
export async function writePrivateFile(path: string, text: string | Uint8Array): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  await onDisk(path, 'written', async () => {
    try {
      const file = await open(temporary, 'wx', OWNER_ONLY_FILE);
      try {
        await file.writeFile(text);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    await syncFolder(dirname(path));
  });
}

/** Makes a whole folder of private files appear at once, so that a crash never leaves half of it. */
export async function writePrivateFolder(path: string, files: Readonly<Record<string, string>>): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  await makePrivateFolder(temporary);
  try {
    for (const [name, text] of Object.entries(files)) await writePrivateFile(join(temporary, name), text);
    await onDisk(path, 'written', async () => {
      await rename(temporary, path);
      await syncFolder(dirname(path));
    });
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw error;
  }
}

/** The text of a file, or undefined if there is none. */
export async function readTextFile(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return undefined;
    throw new Failure('key_material_invalid', `${path} cannot be read (${codeOf(cause)})`, {
      cause,
      cure: `Give the user who runs Sallyport the right to read ${path}.`,
    });
  }
}

/** The text of a file that holds a secret, or undefined if there is none. A file that others can read is refused. */
export async function readSecretFile(path: string): Promise<string | undefined> {
  const text = await readTextFile(path);
  if (text !== undefined)
    await refuseIfOpen(path, FOR_OTHERS, 'is readable or writable by others', `chmod 600 ${path}`);
  return text;
}

/** Refuses a folder in which others could put files of their own. */
export async function refuseOpenFolder(path: string): Promise<void> {
  await refuseIfOpen(path, WRITABLE_FOR_OTHERS, 'is writable by others', `chmod 700 ${path}`);
}

async function refuseIfOpen(path: string, forbidden: number, problem: string, command: string): Promise<void> {
  // Windows keeps access lists, and shows modes that mean nothing.
  if (process.platform === 'win32') return;
  const { mode } = await stat(path);
  if ((mode & forbidden) === 0) return;
  throw new Failure('key_material_invalid', `${path} ${problem} (mode ${(mode & 0o777).toString(8)})`, {
    cure: `Run "${command}". If others were on this machine meanwhile, make new keys.`,
  });
}

async function onDisk(path: string, verb: 'made' | 'written', work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (cause) {
    if (cause instanceof Failure) throw cause;
    throw new Failure('data_directory_unusable', `${path} cannot be ${verb} (${codeOf(cause)})`, { cause });
  }
}

/** A rename is durable only when its folder is. Windows cannot open folders. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException | undefined)?.code ?? 'unknown';
}
