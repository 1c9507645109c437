import type { Failure } from '@sallyport/model';
import type { BackoffOptions } from './backoff.ts';
import type { ChangingCertificate } from './certificate-files.ts';
import type { LinkProof } from './link-proof.ts';
import type { Pkcs11Key } from './pkcs11-key.ts';

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
  /** Bytes that a packet of the server may have; 1,048,576 by default. A larger one ends the connection before it is read. */
  readonly maximumPacketSize?: number;
  /** Client certificate, also one that is renewed by itself; in Node only, and not over WebSocket in a browser. */
  readonly certificate?: ClientCertificate | ChangingCertificate;
  /** SHA-256 of the server's certificate, or of one above it, in hexadecimal: nothing else is trusted. In Node only. */
  readonly serverPin?: string | readonly string[];
  /** Gives up connecting, and closes the connection later on. */
  readonly signal?: AbortSignal;
  /** Told the stages of the first attempt to connect as they happen. */
  readonly onStage?: (stage: LinkStage, text: string) => void;
}

/** How far an attempt to connect is. */
export type LinkStage = 'name' | 'tcp' | 'tls' | 'accepted';

/** A client certificate with its key: in PEM, both in one PKCS#12 file, or with a key that stays in its chip. */
export type ClientCertificate =
  | { readonly cert: string; readonly pkcs11: Pkcs11Key }
  | { readonly cert: string; readonly key: string; readonly passphrase?: string }
  | { readonly pkcs12: Uint8Array; readonly passphrase?: string };

export interface LinkCredential {
  readonly clientId: string;
  /** User name and password are left out where the certificate proves the client alone. */
  readonly username?: string;
  readonly password?: string;
  /** What is more than a user name and password. */
  readonly proof?: LinkProof;
}

/** What MQTT 5 sends along with a message, for requests and their answers. */
export interface MessageProperties {
  readonly responseTopic?: string;
  readonly correlationData?: Uint8Array;
}

export interface LinkPublishOptions {
  readonly qos: 0 | 1 | 2;
  readonly properties?: MessageProperties;
  /** Gives up waiting; the message may still get to the server. */
  readonly signal?: AbortSignal;
}

/** What may be done in a connection before it is given to the program. */
export interface LinkPort {
  publish(topic: string, payload: Uint8Array, qos: 0 | 1): Promise<void>;
  /** Once for each filter, however many connections there are. */
  subscribe(filter: string, qos: 0 | 1, receive: (topic: string, payload: Uint8Array) => void): Promise<void>;
}

/** Done at the beginning of every connection; until it resolves nothing else is sent. `signal` is aborted when the connection breaks. */
export type Admission = (port: LinkPort, signal: AbortSignal) => Promise<void>;

/** What can happen to a connection while it is used. */
export interface LinkEvents {
  /** Connected again after a break. */
  online: undefined;
  /** The connection broke; another attempt follows by itself. */
  offline: undefined;
  /** Something that no call could report: a refused attempt, a malformed message, a handler that threw. */
  problem: Failure;
  /** What proves this client was renewed ahead of its end; the session goes on. */
  renewed: { readonly what: 'access-token' | 'certificate' };
}

export type LinkListener<T extends keyof LinkEvents> = (value: LinkEvents[T]) => void;
