import type { AuditEventRow } from './audit-event-row.ts';

const WHO = ['clientId'];

/** Rows about one-time codes. No code is in any of them. */
export const UNLOCK_AUDIT_EVENTS = {
  'unlock.requested': { meaning: 'A device asked for a one-time code.', details: [...WHO, 'channels'] },
  'unlock.delivered': {
    meaning: 'A one-time code was handed over for the owner; where an operator asked for it, `by` is who.',
    details: [...WHO, 'channel'],
  },
  'unlock.undelivered': {
    meaning: 'A one-time code did not get on its way; `problem` says why.',
    details: [...WHO, 'channel', 'problem'],
  },
  'unlock.refused': {
    meaning: 'A wish for a code, or a code, was refused.',
    details: [...WHO, 'cause', 'attemptsLeft'],
  },
  'unlock.succeeded': {
    meaning: 'A session gave its one-time code and has all its rights.',
    details: [...WHO, 'means'],
  },
  'unlock.failed': { meaning: 'A session used up its tries and was ended.', details: [...WHO, 'tries'] },
  'unlock.lifted': { meaning: 'No code is asked of the device any more: its session need not wait.', details: WHO },
  'unlock.code-in-reply': {
    meaning: 'Incident: a one-time code was sent to the device that asked for it, so that it proves nothing.',
    details: WHO,
  },
  'authenticator.created': { meaning: 'A device got a new authenticator app.', details: [] },
  'authenticator.removed': { meaning: 'The authenticator app of a device is worth nothing any more.', details: [] },
} as const satisfies Record<string, AuditEventRow>;
