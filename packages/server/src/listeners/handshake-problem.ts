import type { RefusalReason } from '@sallyport/model';

/** Every reason for which a listener closes a connection before it is handed to the broker. */
export type HandshakeProblem = Extract<
  RefusalReason,
  | 'plain_mqtt_on_tls_port'
  | 'not_tls'
  | 'tls_on_plain_port'
  | 'tls_version_too_old'
  | 'no_shared_cipher'
  | 'no_shared_application_protocol'
  | 'server_certificate_rejected'
  | 'handshake_timeout'
  | 'handshake_abandoned'
  | 'handshake_malformed'
  | 'address_on_black_list'
  | 'address_not_on_white_list'
  | 'country_unknown'
  | 'too_many_attempts'
  | 'proxy_header_missing'
  | 'proxy_header_refused'
  | 'websocket_not_mqtt'
  | 'too_many_handshakes'
  | 'connection_limit'
  | 'certificate_required'
  | 'certificate_expired'
  | 'certificate_not_yet_valid'
  | 'certificate_revoked'
  | 'certificate_unknown_authority'
  | 'certificate_not_on_record'
  | 'certificate_wrong_usage'
  | 'certificate_path_too_long'
  | 'certificate_invalid'
  | 'server_name_unknown'
  | 'certificate_revocation_unknown'
  | 'certificate_name_not_permitted'
>;

/** A connection that was closed before its first MQTT packet. */
export interface HandshakeFailure {
  /** Name of the listener as configured. */
  readonly listener: string;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly problem: HandshakeProblem;
  /** One sentence: what was seen. Holds nothing that the client sent but names and versions, cleaned of control characters. */
  readonly detail: string;
  /** What to do next; replaces the general cure of the problem. */
  readonly cure?: string | undefined;
  /** Highest version that the client offered. */
  readonly tlsVersion?: string;
  /** Server name indication, lower case. */
  readonly serverName?: string;
}

export type HandshakeFailureReport = (failure: HandshakeFailure) => void;
