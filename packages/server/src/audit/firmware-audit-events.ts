import type { FirmwareEvent } from '../events/firmware-events.ts';
import type { NewAuditRow } from '../storage/audit-rows.ts';
import { clip } from './clip.ts';

/** Rows about firmware in the audit trail. */
export const FIRMWARE_AUDIT_EVENTS = {
  'firmware.initialised': {
    meaning:
      'The firmware repository of an organisation was made. `keys`: whether those of root and targets lie on the server.',
    details: ['keys'],
  },
  'firmware.released': {
    meaning: 'An image was signed; devices of its type may run it.',
    details: ['version', 'digest', 'size', 'sequence', 'minimumSequence'],
  },
  'firmware.removed': { meaning: 'A release was taken back.', details: [] },
  'firmware.renewed': { meaning: 'Signed roles were signed anew before they expired.', details: ['role', 'roles'] },
  'firmware.rotated': {
    meaning: 'A new root role is in force. `roles`: those for which other keys, or another number of them, speak now.',
    details: ['version', 'roles'],
  },
  'firmware.boot': {
    meaning: 'A device told that its start stopped at a stage, or that it fell back to its other slot.',
    details: ['outcome', 'stage', 'reason', 'slot', 'version', 'text'],
  },
  'firmware.refused': {
    meaning: 'A device told that the image that it was offered does not verify: one row for each device and minute.',
    details: ['detail'],
  },
  'rollout.started': { meaning: 'A release is on its way to a share of its type.', details: ['percent', 'haltAbove'] },
  'rollout.resumed': { meaning: 'A rollout goes on, perhaps to a larger share.', details: ['percent'] },
  'rollout.halted': { meaning: 'A rollout was halted, by an operator or by its failures.', details: ['cause'] },
  'rollout.aborted': { meaning: 'A rollout was given up.', details: [] },
  'rollout.finished': {
    meaning: 'Every device in the share of a rollout has reported.',
    details: ['succeeded', 'failed'],
  },
  'rollout.device.succeeded': { meaning: 'A device runs the release of a rollout.', details: [] },
  'rollout.device.failed': { meaning: 'A device did not come to run the release of a rollout.', details: ['detail'] },
} as const;

/** The audit row of an event about firmware. */
export function firmwareRow(event: FirmwareEvent): Omit<NewAuditRow, 'at'> {
  const { type, organisation } = event;
  switch (event.type) {
    case 'firmware.renewed':
      return {
        type,
        by: 'system',
        organisation,
        target: `firmware:${organisation}`,
        outcome: 'done',
        details: { roles: event.roles },
      };
    case 'firmware.boot':
      return {
        type,
        organisation,
        principal: event.principal,
        by: event.by,
        outcome: event.outcome,
        details: clippedValues(event.details),
      };
    case 'firmware.refused': {
      const { principal, by, detail } = event;
      return { type, organisation, principal, by, outcome: 'refused', details: { detail: clip(detail) } };
    }
    case 'rollout.finished':
    case 'rollout.halted':
      return { type, by: 'system', organisation, target: event.target, outcome: 'done', details: event.details };
    case 'rollout.device.succeeded':
    case 'rollout.device.failed':
      return {
        type,
        organisation,
        principal: event.principal,
        target: event.target,
        outcome: event.type === 'rollout.device.failed' ? 'failed' : 'done',
        ...(event.detail === undefined ? {} : { details: { detail: clip(event.detail) } }),
      };
  }
}

function clippedValues(details: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(details).map(([key, value]) => [key, clip(value)]));
}
