import type { Socket } from 'node:net';
import type { ServerCredentials } from '../authority/authority.ts';
import { credentialsByName } from '../authority/named-credentials.ts';
import type { AcceptStream, Door, TlsDoor } from '../listeners/listener-options.ts';
import type { TicketKey } from '../listeners/session-tickets.ts';
import { tcpDoor } from '../listeners/tcp.ts';
import { tlsDoor } from '../listeners/tls.ts';
import type { ListenerPlan, OfficeCalls, SentCredentials, SocketWord, WorkerCalls } from './calls.ts';
import type { Line } from './line.ts';

/** The second half of the listeners: takes sockets that the office has accepted and judged. */
export interface SocketService extends Pick<WorkerCalls, 'setCredentials' | 'setTicketKeys'> {
  take(word: SocketWord, socket: Socket): void;
  close(): void;
}

/** Everything that is counted, is counted in the office, over all workers. */
const UNBOUNDED = {
  maximumConnections: Number.POSITIVE_INFINITY,
  maximumHandshakes: Number.POSITIVE_INFINITY,
  maximumHandshakesPerAddress: Number.POSITIVE_INFINITY,
};

type Keys = readonly [TicketKey, ...TicketKey[]];

export function serveSockets(
  listeners: readonly ListenerPlan[],
  office: Line<OfficeCalls, WorkerCalls>,
  accept: AcceptStream,
): SocketService {
  const numbers = new WeakMap<Socket, number>();
  const keys = new Map<string, Keys>();
  const doors = new Map<string, Door>();
  const tlsDoors = new Map<string, TlsDoor>();

  for (const { tls, ...plan } of listeners) {
    const { name } = plan;
    const options = {
      ...UNBOUNDED,
      ...plan,
      accept,
      onHandshakeFailure: (failure: Parameters<OfficeCalls['handshakeFailed']>[0]) =>
        office.tell('handshakeFailed', failure),
      onSettled(socket: Socket) {
        const number = numbers.get(socket);
        if (number !== undefined) office.tell('settled', number);
      },
      async judgeProxied(socket: Socket, client: Parameters<OfficeCalls['proxied']>[1]) {
        const number = numbers.get(socket);
        return number !== undefined && (await office.ask('proxied', number, client));
      },
    };
    if (tls === undefined) {
      doors.set(name, tcpDoor(options));
      continue;
    }
    const { ticketKeys, admits, credentials, ...security } = tls;
    keys.set(name, ticketKeys);
    const door = tlsDoor({
      ...options,
      ...security,
      credentials: received(credentials),
      ticketKeys: () => keys.get(name) ?? ticketKeys,
      ...(admits && { admitCertificate: (facts) => office.ask('admitCertificate', facts) }),
    });
    doors.set(name, door);
    tlsDoors.set(name, door);
  }

  return {
    take({ listener, number }, socket) {
      const door = doors.get(listener);
      const gone = () => office.tell('gone', number);
      if (door === undefined || socket.destroyed) {
        socket.destroy();
        gone();
        return;
      }
      numbers.set(socket, number);
      socket.once('close', gone);
      door.take(socket);
    },
    setCredentials(listener, credentials, ticketKeys) {
      keys.set(listener, ticketKeys);
      tlsDoors.get(listener)?.setCredentials(received(credentials), () => keys.get(listener) ?? ticketKeys);
    },
    setTicketKeys: (listener, ticketKeys) => void keys.set(listener, ticketKeys),
    close() {
      for (const door of doors.values()) door.close();
    },
  };
}

function received(credentials: SentCredentials): ServerCredentials {
  const { named } = credentials;
  return named === undefined ? credentials : { ...credentials, forName: credentialsByName(named) };
}
