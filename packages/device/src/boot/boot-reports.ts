import { type BootReport, bootEvent } from './boot-report.ts';
import type { Flash } from './flash.ts';

const FILE = 'boot-reports.json';
/** Reports that a device keeps until somebody hears them; the oldest go first. */
const MOST = 16;

/** A report as it is told. */
export type BootEvent = ReturnType<typeof bootEvent>;

/** Keeps a report for the next connection. */
export function keepReport(flash: Flash, report: BootReport): void {
  flash.writeJson(FILE, [...keptReports(flash), bootEvent(report)].slice(-MOST));
}

/** What was not told yet, oldest first. */
export function keptReports(flash: Flash): readonly BootEvent[] {
  const stored = flash.readJson<BootEvent[]>(FILE);
  return Array.isArray(stored) ? stored : [];
}

/** Forgets the first so many, which were told. */
export function dropReports(flash: Flash, count: number): void {
  flash.writeJson(FILE, keptReports(flash).slice(count));
}
