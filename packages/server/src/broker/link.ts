import type { ProtocolVersion, Slab } from '@sallyport/mqtt';
import type { TransportFacts } from '../events/transport-facts.ts';
import type { Ending } from './ending.ts';
import type { TopicAliases } from './topic-aliases.ts';

/** What a session knows of its connection. */
export interface Link {
  readonly version: ProtocolVersion;
  readonly facts: TransportFacts;
  /** Milliseconds since the epoch. */
  readonly connectedAt: number;
  /** Where packets to the peer are written; call {@link touch} afterwards. */
  readonly slab: Slab;
  /** The peer takes bytes more slowly than they come: QoS 0 is dropped, the rest waits in the queue. */
  readonly congested: boolean;
  /** Whether reason strings may go with acknowledgements [MQTT-3.1.2-29]. */
  readonly problemInformation: boolean;
  /** Bytes read from the peer. */
  readonly bytesIn: number;
  /** PUBLISH packets read from the peer. */
  readonly messagesIn: number;
  /** PUBLISH packets written to the peer. */
  messagesOut: number;
  /** Those that the server sets; undefined where the client takes none [MQTT-3.1.2-27]. */
  readonly topicAliases: TopicAliases | undefined;
  /** Asks for a flush at the end of this turn of the event loop. */
  touch(): void;
  /**
   * Reads nothing more until the answer has come, then hands it over and reads on: what the peer sends meanwhile waits with the peer.
   * The answer must not reject; it is dropped if the connection has ended.
   */
  wait<T>(answer: Promise<T>, then: (answer: T) => void): void;
  /** Closes in the order of the protocol; a second call does nothing. */
  end(ending: Ending): void;
}
