/** What a listener knows about a connection before its first MQTT byte. */
export interface TransportFacts {
  /** Name of the listener as configured, for example `mqtt-tls`. */
  readonly listener: string;
  readonly transport: 'tcp' | 'tls' | 'ws' | 'wss';
  /** True if the bytes travel under TLS that this server terminates. */
  readonly secure: boolean;
  /** IPv4 in dotted form (mapped addresses are unmapped) or IPv6. */
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localPort: number;
  readonly tlsVersion?: string;
  readonly cipher?: string;
  /** Server name indication, lower case. */
  readonly serverName?: string;
  /** DER of the peer's certificate; the handshake proved possession of its key. */
  readonly certificate?: Uint8Array;
  /** DER of what the peer sent besides its certificate, in its order; never more than nine. Nothing in it has been checked. */
  readonly certificateChain?: readonly Uint8Array[];
  /** The handshake resumed an earlier session: the peer's certificate is of that one, and its chain was not sent again. */
  readonly resumed?: boolean;
}
