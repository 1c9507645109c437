import type { Failure } from '@sallyport/model';
import type { BackoffOptions } from './backoff.ts';

/** Where and how to reach the server. TLS is always used and always verified. */
export interface LinkOptions {
  readonly host: string;
  /** 8883, or 8443 over WebSocket. */
  readonly port?: number;
  /** Root certificate to trust: PEM text, or the path of a PEM file. The authorities of the runtime if absent. */
  readonly ca?: string;
  /** 5 unless said otherwise. MQTT 3.1.1 (4) cannot tell tickets. */
  readonly protocolVersion?: 4 | 5;
  /** MQTT over WebSocket; a text is the path, `/mqtt` by default. */
  readonly websocket?: boolean | string;
  /** Seconds between signs of life; 60 by default. */
  readonly keepAlive?: number;
  /** Milliseconds until an attempt to connect is given up; 15,000 by default. */
  readonly connectTimeout?: number;
  readonly backoff?: BackoffOptions;
  /** Messages that may wait for their acknowledgement or for the connection; 1,000 by default. */
  readonly maximumPending?: number;
  /** Client certificate with its chain, and its key, in PEM. */
  readonly certificate?: { readonly cert: string; readonly key: string };
  /** Told the stages of the first attempt to connect as they happen. */
  readonly onStage?: (stage: LinkStage, text: string) => void;
}

/** How far an attempt to connect is. */
export type LinkStage = 'name' | 'tcp' | 'tls' | 'accepted';

export interface LinkCredential {
  readonly clientId: string;
  /** User name and password are left out where the certificate proves the client alone. */
  readonly username?: string;
  readonly password?: string;
}

/** What can happen to a connection while it is used. */
export interface LinkEvents {
  /** Connected again after a break. */
  online: undefined;
  /** The connection broke; another attempt follows by itself. */
  offline: undefined;
  /** Something that no call could report: a refused attempt, a malformed message, a handler that threw. */
  problem: Failure;
}

export type LinkListener<T extends keyof LinkEvents> = (value: LinkEvents[T]) => void;
