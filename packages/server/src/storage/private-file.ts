import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Failure } from '@sallyport/model';

/**
 * Makes a folder that only the owner can enter, with the folders above it, if it is not there yet. Throws `data_directory_unusable`.
 * One at a time: Node's own recursion never ends where a file system refuses new folders by saying that they do not exist.
 */
export function makePrivateFolder(path: string): void {
  const missing: string[] = [];
  let existing = resolve(path);
  while (!existsSync(existing) && dirname(existing) !== existing) {
    missing.push(existing);
    existing = dirname(existing);
  }
  try {
    if (!statSync(existing).isDirectory()) throw new Error(`${existing} is not a folder`);
    for (const folder of missing.reverse()) mkdirSync(folder, { mode: 0o700 });
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new Failure('data_directory_unusable', `The folder ${path} cannot be used: ${(cause as Error).message}`, {
      cause,
    });
  }
}

/**
 * Writes a file that only the owner can read, whole or not at all: under another name first, on disk, then renamed.
 * Throws `data_directory_unusable`.
 */
export function writePrivateFile(path: string, content: string | Uint8Array): void {
  const temporary = `${path}.${process.pid}.new`;
  try {
    rmSync(temporary, { force: true });
    const file = openSync(temporary, 'wx', 0o600);
    try {
      writeSync(file, typeof content === 'string' ? Buffer.from(content) : content);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
    const folder = openSync(dirname(path), 'r');
    fsyncSync(folder);
    closeSync(folder);
  } catch (cause) {
    throw new Failure('data_directory_unusable', `The file ${path} cannot be written: ${(cause as Error).message}`, {
      cause,
    });
  }
}

/** Undefined if the file does not exist. Throws `key_material_invalid` if others than the owner can read it. */
export function readPrivateFile(path: string): Buffer | undefined {
  let mode: number;
  try {
    mode = statSync(path).mode;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new Failure('data_directory_unusable', `The file ${path} cannot be read: ${(cause as Error).message}`, {
      cause,
    });
  }
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    throw new Failure(
      'key_material_invalid',
      `The file ${path} holds a secret and others than its owner can read it.`,
      {
        cure: `Run \`chmod 600 ${path}\`, and make a new secret if somebody may have read the old one.`,
      },
    );
  }
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new Failure('data_directory_unusable', `The file ${path} cannot be read: ${(cause as Error).message}`, {
      cause,
    });
  }
}
