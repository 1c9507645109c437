import { readFileSync } from 'node:fs';

/** Linux counts CPU time in hundredths of a second (USER_HZ). */
const TICKS_PER_SECOND = 100;

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // The process ended in between.
    return '';
  }
}

function family(pid: number): number[] {
  const children = textOf(`/proc/${pid}/task/${pid}/children`).trim();
  return [pid, ...(children === '' ? [] : children.split(' ').flatMap((child) => family(Number(child))))];
}

/** Seconds of CPU that a process and its children have used, user and system, in steps of 10 ms. */
export function cpuSeconds(pid: number): number {
  let ticks = 0;
  for (const member of family(pid)) {
    const stat = textOf(`/proc/${member}/stat`);
    // The second field is the program's name in parentheses and may contain spaces.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    ticks += Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
  }
  return ticks / TICKS_PER_SECOND;
}

/** Bytes of memory that a process and its children hold (resident set). */
export function residentBytes(pid: number): number {
  let kilobytes = 0;
  for (const member of family(pid))
    kilobytes += Number(/^VmRSS:\s+(\d+)/m.exec(textOf(`/proc/${member}/status`))?.[1] ?? 0);
  return kilobytes * 1024;
}
