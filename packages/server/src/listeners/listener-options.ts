import type { Socket } from 'node:net';
import type { ServerCredentials } from '../authority/authority.ts';
import type { ByteStream } from '../broker/byte-stream.ts';
import type { TransportFacts } from '../events/transport-facts.ts';
import type { ConnectRates } from './connect-rate.ts';
import type { HandshakeFailureReport, HandshakeProblem } from './handshake-problem.ts';
import type { TicketKeys } from './session-tickets.ts';
import type { SocketAddresses } from './socket-address.ts';

/** Takes over a connection whose handshake is done. It must call `attach` before it returns. */
export type AcceptStream = (stream: ByteStream, facts: TransportFacts) => void;

/** Why an address may not even begin a handshake; undefined if it may. */
export type RefuseAddress = (
  address: string,
) => { readonly problem: HandshakeProblem; readonly detail: string; readonly cure?: string } | undefined;

/** What strangers can take of a listener before they have proven anything. */
export interface ListenerBounds extends ConnectRates {
  /** Connections at once, unfinished handshakes included. Default 10,000. */
  readonly maximumConnections?: number;
  /** Unfinished handshakes at once. Default 512. */
  readonly maximumHandshakes?: number;
  /** Unfinished handshakes of one address at once. Default 32, and for loopback, where proxies and tests live, no bound of its own. */
  readonly maximumHandshakesPerAddress?: number;
  /** Whether the bounds for one address hold for this machine too. Default false. */
  readonly boundLoopback?: boolean;
  /** Addresses and networks of proxies that begin each connection with a header of the PROXY protocol. Left out: none. */
  readonly proxyAddresses?: readonly string[];
  /** Asked before anything is read from a connection. Left out: every address may try. */
  readonly refuseAddress?: RefuseAddress;
  /** Milliseconds from the accepted connection to the end of the handshake, or to the first byte where there is none. Default 10 s. */
  readonly handshakeTimeout?: number;
}

/** What serves the connections of a listener, whoever has accepted them. */
export interface DoorOptions extends ListenerBounds {
  /** Appears in facts, events and errors, for example `mqtt-tls`. */
  readonly name: string;
  readonly accept: AcceptStream;
  readonly onHandshakeFailure: HandshakeFailureReport;
  /** Told when the handshake of a connection has come to an end, good or bad. */
  readonly onSettled?: (socket: Socket) => void;
  /** Whether a client for whom a named proxy speaks may go on; asked before its bounds. Left out: it may. */
  readonly judgeProxied?: (socket: Socket, client: SocketAddresses) => Promise<boolean>;
}

/** Serves connections one by one. */
export interface Door {
  /** Takes over a connection of which nothing was read. */
  take(socket: Socket): void;
  /** Ends unfinished handshakes. */
  close(): void;
}

/** Where a port is opened. */
export interface PortOptions {
  /** Address of this machine, or `0.0.0.0` or `::` for all. */
  readonly address: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** What changes the port, for the cure of `port_taken`. Default: the configuration key or flag of the listener's kind. */
  readonly portSetting?: string;
}

export interface TcpListenerOptions extends DoorOptions, PortOptions {}

export type TlsVersion = 'TLSv1.2' | 'TLSv1.3';

export interface TlsDoorOptions extends DoorOptions {
  readonly credentials: ServerCredentials;
  /** What seals session tickets; keys of its own if left out. */
  readonly ticketKeys?: TicketKeys;
  /** Default TLS 1.2. */
  readonly minimumTlsVersion?: TlsVersion;
  /** Asks clients for a certificate. None, or one that is not trusted, does not end the handshake: the facts say so. Default false. */
  readonly requestCertificate?: boolean;
  /**
   * Ends a handshake whose certificate is missing or does not count, before a byte of MQTT is read. Asked for each connection, resumed
   * ones too; throwing ends it as well. Left out: everybody passes, and the doors judge.
   */
  readonly admitCertificate?: (
    facts: TransportFacts,
  ) => Promise<
    { readonly problem: HandshakeProblem; readonly detail: string; readonly cure?: string | undefined } | undefined
  >;
}

export interface TlsListenerOptions extends TlsDoorOptions, PortOptions {}

export interface TlsDoor extends Door {
  /** From the next handshake on. Running connections keep what they agreed; tickets of earlier sessions end. */
  setCredentials(credentials: ServerCredentials, ticketKeys?: TicketKeys): void;
}

/** An open port. */
export interface Listener {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  /** Accepts no more and ends unfinished handshakes. Streams that were handed over belong to their receiver and live on. */
  close(): Promise<void>;
}

export interface TlsListener extends Listener {
  /** From the next handshake on. Running connections keep what they agreed; tickets of earlier sessions end. */
  setCredentials(credentials: ServerCredentials): void;
}
