import type { EventOf } from '../events/events.ts';
import type { Ending } from './ending.ts';
import type { Link } from './link.ts';
import type { Session } from './session.ts';

/** What a connection has counted by its end. */
export interface Traffic {
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly messagesIn: number;
  readonly messagesOut: number;
}

export function sessionOpened(
  session: Session,
  link: Link,
  username: string | undefined,
  cleanStart: boolean,
  sessionPresent: boolean,
): EventOf<'session.opened'> {
  return {
    type: 'session.opened',
    ...facts(session, link, username),
    credential: session.grounds.credential,
    credentialKind: session.grounds.credentialKind,
    assurance: session.assurance,
    cleanStart,
    sessionPresent,
  };
}

export function sessionClosed(
  session: Session,
  link: Link,
  username: string | undefined,
  traffic: Traffic,
  { closeCode, text }: Ending,
  ticket: string | undefined,
): EventOf<'session.closed'> {
  return {
    type: 'session.closed',
    ...facts(session, link, username),
    closeCode,
    reason: ticket === undefined || text.includes(ticket) ? text : `${text} (ticket ${ticket})`,
    connectedAt: link.connectedAt,
    readBytes: traffic.bytesIn,
    readMessages: traffic.messagesIn,
    writtenBytes: traffic.bytesOut,
    writtenMessages: traffic.messagesOut,
  };
}

function facts(session: Session, link: Link, username: string | undefined) {
  return {
    organisation: session.organisation,
    clientId: session.clientId,
    principal: session.principalName,
    presence: session.presence,
    transport: link.facts,
    protocolVersion: link.version,
    ...(username === undefined ? {} : { username }),
  };
}
