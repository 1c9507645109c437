import type { Refusal } from '@sallyport/model';
import type { EventOf, ServerEvent } from '../events/events.ts';
import type { UnlockEvent } from '../events/unlock-events.ts';
import type { NewAuditRow } from '../storage/audit-rows.ts';
import { present } from '../storage/present.ts';
import { alertRow } from './alert-audit-events.ts';
import { clip, clipped } from './clip.ts';
import { firmwareRow } from './firmware-audit-events.ts';
import { workerRow } from './worker-audit-events.ts';

export type Row = Omit<NewAuditRow, 'at'>;

/** A stack is worth its first lines. */
const LONGEST_PROBLEM = 2000;

/**
 * The audit row of an event; undefined for events that leave none: the registry has written its own rows, and refusals after the
 * first of a ticket are only counted, so that an attack cannot fill the disk.
 */
export function rowOfEvent(event: ServerEvent): Row | undefined {
  switch (event.type) {
    case 'server.started':
      return { type: event.type, details: { version: event.version, listeners: event.listeners } };
    case 'server.stopping':
      return { type: event.type, details: { cause: clip(event.cause) } };
    case 'server.unsafe':
      return { type: event.type, details: { setting: event.setting, meaning: event.meaning } };
    case 'session.opened':
    case 'session.closed':
      return sessionRow(event);
    case 'session.refused':
    case 'handshake.refused':
    case 'request.refused':
    case 'session.slowed':
    case 'message.denied':
    case 'subscription.denied':
    case 'delivery.denied':
      return event.refusal.count > 1 ? undefined : refusalRow(event.type, event.refusal);
    case 'session.renewed':
    case 'session.expiring': {
      const { type, organisation, principal, clientId, credential, credentialKind, expiresAt } = event;
      return {
        type,
        organisation,
        principal,
        details: present({ clientId: clip(clientId), credential, credentialKind, expiresAt }),
      };
    }
    case 'message.dropped':
      return {
        type: event.type,
        organisation: event.organisation,
        details: { clientId: clip(event.clientId), cause: event.cause, count: event.count },
      };
    case 'firmware.renewed':
    case 'firmware.boot':
    case 'firmware.refused':
    case 'rollout.finished':
    case 'rollout.halted':
    case 'rollout.device.succeeded':
    case 'rollout.device.failed':
      return firmwareRow(event);
    case 'token.issued': {
      const { type, organisation, principal, address, grant, scopes } = event;
      return { type, organisation, principal, address, outcome: 'done', details: { grant, scopes } };
    }
    case 'token.revoked': {
      const { type, organisation, principal, by, what, jti } = event;
      return { type, organisation, principal, by, outcome: 'done', details: { what, jti } };
    }
    case 'device.approved':
    case 'device.denied': {
      const { type, organisation, principal, by, address, scopes } = event;
      return { type, organisation, principal, by, address, outcome: 'done', details: { scopes } };
    }
    case 'signing-keys.rotated': {
      const { type, organisation, by, atOnce, kid } = event;
      return { type, organisation, by, outcome: 'done', details: { atOnce, kid } };
    }
    case 'store.failing':
      return { type: event.type, outcome: 'failed', details: { store: event.store, problem: clip(event.problem) } };
    case 'store.recovered':
      return { type: event.type, details: { store: event.store } };
    case 'defect': {
      const problem = clip(event.problem, LONGEST_PROBLEM);
      return { type: event.type, outcome: 'failed', details: { where: clip(event.where), problem, count: 1 } };
    }
    case 'guessing.blocked':
      return {
        type: event.type,
        address: event.address,
        outcome: 'refused',
        details: {
          network: event.network,
          ...present({ claim: clipped(event.claim) }),
          reason: event.reason,
          failures: event.failures,
          until: event.until,
        },
      };
    case 'incident.opened':
    case 'incident.contained':
    case 'incident.released':
    case 'incident.resolved': {
      const { type, by, subject, organisation, incident, rule, response, dryRun } = event;
      return {
        type,
        by,
        target: subject,
        outcome: 'done',
        ...present({ organisation }),
        details: { incident, rule, ...present({ response, dryRun }) },
      };
    }
    case 'command.refused': {
      const { type, organisation, principal, topic, reason, sender, repeatedBy } = event;
      const details = { reason, ...present({ sender, repeatedBy }) };
      return { type, organisation, principal, target: clip(topic), outcome: 'refused', details };
    }
    case 'alert.delivered':
    case 'alert.failing':
    case 'alert.recovered':
      return alertRow(event);
    case 'guessing.released': {
      const { type, by, ...details } = event;
      return { type, by, outcome: 'done', details };
    }
    case 'country-file.loaded':
      return { type: event.type, details: { file: event.file, database: event.database, builtAt: event.builtAt } };
    case 'country-file.failed':
      return { type: event.type, outcome: 'failed', details: { file: event.file, problem: clip(event.problem) } };
    case 'revocation.failing':
    case 'revocation.recovered':
    case 'certificate.expiring':
      return revocationRow(event);
    case 'authority.succeeded': {
      const { type, organisation, subject, fingerprint, before, notAfter } = event;
      const details = { subject: clip(subject), fingerprint, before, notAfter };
      return { type, outcome: 'done', ...present({ organisation }), details };
    }
    case 'authority.ending': {
      const { type, organisation, subject, why, notAfter } = event;
      return {
        type,
        outcome: 'failed',
        ...present({ organisation }),
        details: { subject: clip(subject), why, notAfter },
      };
    }
    case 'server-certificate.changed': {
      const { type, by, organisation, source, subject, fingerprint, notAfter } = event;
      const details = { source, subject: clip(subject), fingerprint, notAfter };
      return { type, by, outcome: 'done', ...present({ organisation }), details };
    }
    case 'worker.started':
    case 'worker.lost':
    case 'worker.stopped':
      return workerRow(event);
    case 'registry.changed':
      return undefined;
    default:
      return unlockRow(event);
  }
}

function revocationRow(event: EventOf<'revocation.failing' | 'revocation.recovered' | 'certificate.expiring'>): Row {
  if (event.type === 'certificate.expiring') {
    const { type, what, name, organisation, days, count, notAfter } = event;
    return { type, ...present({ organisation }), details: { what, name: clip(name), days, count, notAfter } };
  }
  const { type, authority, url } = event;
  if (type === 'revocation.recovered') return { type, details: { authority, url: clip(url) } };
  const { problem, usableUntil } = event;
  return {
    type,
    outcome: 'failed',
    details: { authority, url: clip(url), problem: clip(problem), ...present({ usableUntil }) },
  };
}

function unlockRow({ type, organisation, principal, clientId, address, ...rest }: UnlockEvent): Row {
  const { by, ...details } = 'by' in rest ? rest : { ...rest, by: undefined };
  return {
    type,
    organisation,
    principal,
    address,
    outcome: OUTCOMES[type],
    ...present({ by }),
    details: {
      clientId: clip(clientId),
      ...('problem' in details ? { ...details, problem: clip(details.problem) } : details),
    },
  };
}

const OUTCOMES: Readonly<Record<UnlockEvent['type'], string>> = {
  'unlock.requested': 'done',
  'unlock.delivered': 'done',
  'unlock.undelivered': 'failed',
  'unlock.refused': 'refused',
  'unlock.succeeded': 'done',
  'unlock.failed': 'refused',
  'unlock.lifted': 'done',
  'unlock.code-in-reply': 'done',
};

function sessionRow(event: EventOf<'session.opened'> | EventOf<'session.closed'>): Row {
  const { transport } = event;
  // Written as JSON, which leaves out what is undefined.
  const connection = {
    clientId: clip(event.clientId),
    listener: transport.listener,
    transport: transport.transport,
    tlsVersion: transport.tlsVersion,
    protocolVersion: event.protocolVersion,
    username: clipped(event.username),
  };
  const details =
    event.type === 'session.opened'
      ? {
          ...connection,
          credential: event.credential,
          credentialKind: event.credentialKind,
          assurance: event.assurance,
          cleanStart: event.cleanStart,
          sessionPresent: event.sessionPresent,
        }
      : {
          ...connection,
          closeCode: event.closeCode,
          reason: clip(event.reason),
          connectedAt: event.connectedAt,
          readBytes: event.readBytes,
          readMessages: event.readMessages,
          writtenBytes: event.writtenBytes,
          writtenMessages: event.writtenMessages,
        };
  return {
    type: event.type,
    organisation: event.organisation,
    principal: event.principal,
    address: transport.remoteAddress,
    outcome: 'done',
    details,
  };
}

function refusalRow(type: string, refusal: Refusal): Row {
  const { reason, action, reasonCode, listener } = refusal;
  return {
    type,
    outcome: 'refused',
    ticket: refusal.ticket,
    ...present({
      target: clipped(refusal.resource),
      organisation: clipped(refusal.organisation),
      principal: clipped(refusal.principal),
      address: clipped(refusal.address),
    }),
    details: { reason, action, reasonCode, ...present({ clientId: clipped(refusal.clientId), listener }) },
  };
}
