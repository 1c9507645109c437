import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '@sallyport/model';
import { describe, expect, it } from 'vitest';
import { makePrivateFolder, readPrivateFile, writePrivateFile } from '../../src/storage/private-file.ts';
import { temporaryFolder } from './temporary-folder.ts';

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof Failure) return error.code;
    throw error;
  }
  throw new Error('it did not fail');
}

describe('private files', () => {
  it('are written whole for their owner only, and replaced whole', () => {
    const folder = join(temporaryFolder(), 'a', 'b');
    makePrivateFolder(folder);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    const path = join(folder, 'token.key');
    writePrivateFile(path, 'one');
    writePrivateFile(path, Buffer.from('two'));
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(path, 'utf8')).toBe('two');
    expect(readdirSync(folder)).toEqual(['token.key']);
    expect(readPrivateFile(path)?.toString()).toBe('two');
  });

  it('are undefined if they are not there, and refused if others can read them', () => {
    const path = join(temporaryFolder(), 'token.key');
    expect(readPrivateFile(path)).toBeUndefined();
    writePrivateFile(path, 'one');
    chmodSync(path, 0o640);
    expect(codeOf(() => readPrivateFile(path))).toBe('key_material_invalid');
  });

  it('fail as data_directory_unusable where there is no folder', () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    expect(codeOf(() => makePrivateFolder(join(file, 'folder')))).toBe('data_directory_unusable');
    expect(codeOf(() => writePrivateFile(join(file, 'token.key'), 'x'))).toBe('data_directory_unusable');
    expect(codeOf(() => readPrivateFile(join(file, 'token.key')))).toBe('data_directory_unusable');
  });
});
