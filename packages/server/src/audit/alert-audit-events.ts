import type { AlertEvent } from '../events/alert-events.ts';
import type { NewAuditRow } from '../storage/audit-rows.ts';
import type { AuditEventRow } from './audit-event-row.ts';
import { clip } from './clip.ts';

/** Rows about alerts of incidents. */
export const ALERT_AUDIT_EVENTS = {
  'alert.delivered': {
    meaning: 'Incidents were told by mail, web hook or MQTT; so many `more` were only counted.',
    details: ['channel', 'incidents', 'more'],
  },
  'alert.failing': {
    meaning: 'Incidents cannot be told by this way; told at the first failure, and when it is left alone for a while.',
    details: ['channel', 'problem', 'failures'],
  },
  'alert.recovered': { meaning: 'Incidents can be told by this way again.', details: ['channel'] },
} as const satisfies Record<string, AuditEventRow>;

/** The audit row of such an event. */
export function alertRow(event: AlertEvent): Omit<NewAuditRow, 'at'> {
  const { type, ...details } = event;
  if (event.type !== 'alert.failing') return { type, outcome: 'done', details };
  return { type, outcome: 'failed', details: { ...details, problem: clip(event.problem) } };
}
