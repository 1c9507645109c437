import { type ClientId, parseClientId, type Refusal } from '@sallyport/model';
import type { EventOf, ServerEvent, ServerEventType } from '../events/events.ts';
import type { TransportFacts } from '../events/transport-facts.ts';
import type { ServerMessage } from './server-message.ts';

export interface MonitorOptions {
  readonly events: {
    on<T extends ServerEventType>(type: T, listener: (event: EventOf<T>) => void): () => void;
    emit(event: ServerEvent): void;
  };
  readonly publish: (organisation: string, message: ServerMessage) => void;
  /** Whether the client id belongs to somebody registered: strangers' guesses are not told to applications. */
  readonly exists: (clientId: ClientId) => boolean | Promise<boolean>;
  readonly now: () => number;
}

/** Seconds: 8 days (watson-iot.md section 2.8). */
const LIFETIME = 8 * 86_400;
/** FailedConnect messages in one window, of one client and of all. */
const FAILED_WINDOW = 10_000;
const FAILED_OF_ALL = 100;

/**
 * Tells applications who connects and disconnects, as the Watson IoT Platform does on its `mon` topics (watson-iot.md
 * section 2.8). Listens only; the answer ends it.
 */
export function monitorSessions({ events, publish, exists, now }: MonitorOptions): () => void {
  const failed = new Set<string>();
  let windowEnds = 0;

  /** Into the organisation of the principal: a client id may name another one. */
  function tell(organisation: string, clientId: ClientId, body: Record<string, unknown>, retain: boolean): void {
    const topic = monitorTopic(clientId);
    if (topic === undefined || clientId.kind === 'plain' || clientId.organisation !== organisation) return;
    publish(organisation, { topic, payload: JSON.stringify(body), retain, expiry: LIFETIME, volatile: true });
  }

  function opened(event: EventOf<'session.opened'>): void {
    const clientId = nameable(event.clientId);
    tell(
      event.organisation,
      clientId,
      { Action: 'Connect', Time: iso(now()), ...sessionFacts(event, clientId), ConnectTime: iso(now()) },
      true,
    );
  }

  function closed(event: EventOf<'session.closed'>): void {
    const clientId = nameable(event.clientId);
    const body = {
      Action: 'Disconnect',
      Time: iso(now()),
      ...sessionFacts(event, clientId),
      ConnectTime: iso(event.connectedAt),
      ...(event.closeCode === 0 ? {} : { CloseCode: event.closeCode, Reason: event.reason }),
      ReadBytes: event.readBytes,
      ReadMsg: event.readMessages,
      WriteBytes: event.writtenBytes,
      WriteMsg: event.writtenMessages,
    };
    const isDevice = clientId.kind === 'device' || clientId.kind === 'gateway';
    tell(event.organisation, clientId, body, isDevice);
    const topic = monitorTopic(clientId);
    // Nobody asks later whether an application was there: what was kept of it goes.
    if (clientId.kind === 'application' && topic !== undefined && clientId.organisation === event.organisation) {
      publish(event.organisation, { topic, payload: '', retain: true, volatile: true });
    }
  }

  async function refused({ refusal, transport }: EventOf<'session.refused'>): Promise<void> {
    const clientId = nameable(refusal.clientId ?? '');
    if (clientId.kind === 'plain' || !withinRate(clientId.text)) return;
    if (!(await exists(clientId))) return;
    const body = {
      Action: 'FailedConnect',
      Time: iso(now()),
      ...transportFacts(transport, clientId.text),
      CloseCode: closeCodeOf(refusal),
      Reason: `ticket ${refusal.ticket}`,
    };
    tell(clientId.organisation, clientId, body, false);
  }

  function withinRate(text: string): boolean {
    if (now() >= windowEnds) {
      windowEnds = now() + FAILED_WINDOW;
      failed.clear();
    }
    if (failed.has(text) || failed.size >= FAILED_OF_ALL) return false;
    failed.add(text);
    return true;
  }

  const ends = [
    events.on('session.opened', opened),
    events.on('session.closed', closed),
    events.on('session.refused', (event) => {
      refused(event).catch((error) => events.emit({ type: 'defect', where: 'monitor', problem: String(error) }));
    }),
  ];
  return () => {
    for (const end of ends) end();
  };
}

function monitorTopic(clientId: ClientId): string | undefined {
  if (clientId.kind === 'plain') return undefined;
  return clientId.kind === 'application'
    ? `iot-2/app/${clientId.id}/mon`
    : `iot-2/type/${clientId.type}/id/${clientId.id}/mon`;
}

/** The client id as the client knows it; the name that the broker gave to an instance without one is left out. */
function nameable(text: string): ClientId {
  const parsed = parseClientId(text.includes(':~') ? text.replace(/:~[^:]*$/, '') : text);
  return parsed.ok ? parsed.value : { kind: 'plain', text };
}

function sessionFacts(
  event: EventOf<'session.opened'> | EventOf<'session.closed'>,
  clientId: ClientId,
): Record<string, unknown> {
  const { transport, protocolVersion, username } = event;
  const socket = transport.transport === 'ws' || transport.transport === 'wss' ? '-ws' : '';
  return {
    ...transportFacts(transport, clientId.text),
    Protocol: `mqtt${protocolVersion}${socket}`,
    ...(username === undefined || username === 'use-token-auth' ? {} : { User: username }),
  };
}

function transportFacts(transport: TransportFacts, clientId: string): Record<string, unknown> {
  return {
    ClientAddr: transport.remoteAddress,
    ClientID: clientId,
    Port: transport.localPort,
    Secure: transport.secure,
  };
}

function closeCodeOf({ reason }: Refusal): number {
  return reason === 'malformed_client_id' || reason === 'client_id_not_permitted' ? 271 : 180;
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
