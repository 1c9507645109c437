import { Failure } from '@sallyport/model';
import type { Binding } from './binding.ts';
import { sqliteTrouble } from './sqlite-trouble.ts';

/**
 * Keeps every other process off a database for as long as this one lives. It is a lock of the operating system on a file beside the
 * database, so it ends with the process, however that ends: there is nothing to clean up after `kill -9`. The database itself
 * stays readable for backup programs.
 *
 * Throws `data_directory_in_use`.
 */
export function takeExclusiveLock(binding: Binding, lockPath: string, what: string): { release(): void } {
  const connection = binding.open(lockPath, 0);
  try {
    // A journal in memory: the lock file never holds anything that would have to be recovered.
    connection.execute('pragma journal_mode = memory');
    connection.execute('begin exclusive');
  } catch (error) {
    connection.close();
    if (sqliteTrouble(error) !== 'busy') throw error;
    throw new Failure('data_directory_in_use', `Another process works on ${what} (it holds ${lockPath}).`, {
      cause: error,
    });
  }
  return { release: () => connection.close() };
}
