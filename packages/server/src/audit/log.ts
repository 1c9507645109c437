import type { Refusal } from '@sallyport/model';
import { destination, pino } from 'pino';
import type { ServerEvent } from '../events/events.ts';

export interface LogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  readonly now: () => number;
  /** Where lines go; standard error if left out. */
  readonly write?: (line: string) => void;
}

/** Lines about refusals in one second at most: a stranger can cause as many as it likes. What is left out is counted. */
const REFUSALS_PER_SECOND = 10;

/** Writes what happens as lines of JSON. A listener of the event stream. */
export function eventLog({ level, now, write }: LogOptions): (event: ServerEvent) => void {
  const sink = write ? { write } : destination({ fd: 2, sync: false });
  const log = pino({ level, base: null, timestamp: () => `,"time":"${new Date(now()).toISOString()}"` }, sink);
  const debugging = log.isLevelEnabled('debug');
  let second = 0;
  let lines = 0;
  let left = 0;

  function refused(type: string, refusal: Refusal): void {
    const current = Math.floor(now() / 1000);
    if (current !== second) {
      if (left > 0)
        log.warn(
          { event: 'refusals.left-out', count: left },
          `${left} more refusals; each is in the audit trail by its ticket`,
        );
      second = current;
      lines = 0;
      left = 0;
    }
    if (++lines > REFUSALS_PER_SECOND) {
      left++;
      return;
    }
    const { ticket, reason, action, principal, clientId, address, listener, resource, count } = refusal;
    log.warn(
      { event: type, ticket, reason, action, principal, clientId, address, listener, resource, count },
      `refused: sallyport explain ${ticket}`,
    );
  }

  return (event) => {
    if (event.type === 'session.opened' || event.type === 'session.closed') {
      const { type, principal, clientId, transport } = event;
      if (debugging) log.debug({ event: type, principal, clientId, address: transport.remoteAddress });
      return;
    }
    if ('refusal' in event) {
      refused(event.type, event.refusal);
      return;
    }
    const { type, ...facts } = event;
    switch (event.type) {
      case 'incident.opened':
      case 'incident.contained':
      case 'guessing.blocked':
      case 'alert.failing':
      case 'country-file.failed':
        log.warn({ event: type, ...facts });
        break;
      case 'server.unsafe':
        log.warn({ event: event.type, setting: event.setting }, event.meaning);
        break;
      case 'unlock.code-in-reply':
        log.error({ event: type, ...facts }, 'the code was told to the device that asked: it proves no presence');
        break;
      case 'revocation.failing':
      case 'certificate.expiring':
      case 'authority.ending':
      case 'unlock.refused':
      case 'unlock.failed':
      case 'unlock.undelivered':
        log.warn({ event: type, ...facts });
        break;
      case 'store.failing':
      case 'worker.lost':
      case 'defect':
        log.error({ event: type, ...facts });
        break;
      case 'message.dropped':
        log.debug({ event: type, ...facts });
        break;
      default:
        log.info({ event: type, ...facts });
    }
  };
}
