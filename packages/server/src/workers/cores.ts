import { accessSync, constants, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { delimiter, join } from 'node:path';

/** How many worker processes a setting means. */
export function workerCount(setting: number | 'auto', most: number): number {
  return setting === 'auto' ? Math.min(availableParallelism(), most) : setting;
}

/** Numbers of the cores that this process may use; empty where the system does not say. */
export function allowedCores(readStatus: () => string = () => readFileSync('/proc/self/status', 'utf8')): number[] {
  let list: string | undefined;
  try {
    list = /^Cpus_allowed_list:\s*([0-9,-]+)$/m.exec(readStatus())?.[1];
  } catch {
    return [];
  }
  return (list ?? '').split(',').flatMap((range) => {
    if (range === '') return [];
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

/** Path of the program that starts another on one core; undefined if this machine has none. */
export function findTaskset(path: string = process.env.PATH ?? ''): string | undefined {
  for (const folder of path.split(delimiter)) {
    if (folder === '') continue;
    const file = join(folder, 'taskset');
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // Perhaps in the next folder.
    }
  }
  return undefined;
}
