import type { WorkerEvent } from '../events/worker-events.ts';
import type { NewAuditRow } from '../storage/audit-rows.ts';
import type { AuditEventRow } from './audit-event-row.ts';
import { clip } from './clip.ts';

/** Rows about worker processes in the audit trail. */
export const WORKER_AUDIT_EVENTS = {
  'worker.started': {
    meaning: 'A worker process takes connections. `core`: the one that it stays on, where the system allows it.',
    details: ['worker', 'pid', 'core'],
  },
  'worker.lost': {
    meaning:
      'A worker process has died. Its connections are gone, those of the others are not; another is started in its place after `restartsIn` milliseconds.',
    details: ['worker', 'why', 'connections', 'restartsIn'],
  },
  'worker.stopped': { meaning: 'A worker process has ended with the server.', details: ['worker'] },
} as const satisfies Record<string, AuditEventRow>;

/** The audit row of such an event. */
export function workerRow(event: WorkerEvent): Omit<NewAuditRow, 'at'> {
  if (event.type !== 'worker.lost') {
    const { type, ...details } = event;
    return { type, outcome: 'done', details };
  }
  const { type, worker, why, connections, restartsIn } = event;
  return { type, outcome: 'failed', details: { worker, why: clip(why), connections, restartsIn } };
}
