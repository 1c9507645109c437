import type { Refusal } from '@sallyport/model';
import type { ServerEvent } from '../events/events.ts';
import type { TransportFacts } from '../events/transport-facts.ts';
import type { Arrive, Regrounds } from './arrival.ts';
import type { ByteStream } from './byte-stream.ts';
import type { BrokerCounters } from './counters.ts';
import type { BrokerLimits } from './limits.ts';

/** What the broker is built from. */
export interface BrokerOptions {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Unpredictable bytes, for assigned client identifiers. */
  readonly random: (size: number) => Uint8Array;
  readonly events: { emit(event: ServerEvent): void };
  readonly limits: BrokerLimits;
  readonly arrive: Arrive;
  readonly regrounds: Regrounds;
  /** Records a refusal that the broker itself makes (limits, protocol) and gives it its ticket. */
  readonly refuse: (refusal: Omit<Refusal, 'ticket' | 'at' | 'lastAt' | 'count'>) => Refusal;
  readonly counters: BrokerCounters;
}

/** Sessions meant: all that fit every property given. Written form of the principal, id of the credential. */
export interface SessionMatch {
  readonly organisation?: string;
  readonly principal?: string;
  readonly credential?: string;
  readonly clientId?: string;
}

/** A session as the API shows it. */
export interface SessionView {
  readonly organisation: string;
  readonly clientId: string;
  readonly principal: string;
  readonly connected: boolean;
  readonly protocolVersion: 3 | 4 | 5;
  readonly address: string;
  readonly transport: TransportFacts['transport'];
  readonly assurance: 'full' | 'pending';
  readonly credentialKind: string;
  /** Milliseconds since the epoch. */
  readonly connectedAt: number;
  readonly subscriptions: readonly { readonly filter: string; readonly qos: 0 | 1 | 2 }[];
  readonly queued: number;
  readonly inflight: number;
}

/** A message that the server itself sends. The topic is the full one. */
export interface ServerMessage {
  readonly topic: string;
  readonly payload: Uint8Array | string;
  readonly qos?: 0 | 1 | 2;
  readonly retain?: boolean;
  /** Seconds. */
  readonly expiry?: number;
}

/** The broker as the rest of the server sees it. */
export interface BrokerApi {
  /** Takes over a fresh stream: the first packet must be CONNECT. Never throws. */
  accept(stream: ByteStream, facts: TransportFacts): void;
  /** Refuses newcomers, says DISCONNECT 0x8B to every MQTT 5 client, drains; resolves within the close deadline. */
  close(reason: string): Promise<void>;
  /** Sessions of an organisation in the order of their client ids, after `after`. */
  listSessions(organisation: string, page?: { readonly after?: string; readonly limit?: number }): SessionView[];
  findSession(organisation: string, clientId: string): SessionView | undefined;
  /** Connected sessions, of one organisation or of all. */
  countSessions(organisation?: string): number;
  /** Judges grounds and rights of the matching sessions anew and ends what no longer holds. */
  reconsider(match: SessionMatch): Promise<void>;
  /** Closes the matching sessions and forgets them; answers how many. */
  closeSessions(match: SessionMatch, reasonCode: number, text: string): number;
  publish(organisation: string, message: ServerMessage): void;
}
