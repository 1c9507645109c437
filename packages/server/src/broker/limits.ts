/** What one client, session or organisation may take of the broker. Plain numbers; the composition root fills them from the configuration. */
export interface BrokerLimits {
  /** Connections of the whole broker, with or without CONNECT. */
  readonly connections: number;
  /** Milliseconds from the first byte to be awaited until the whole CONNECT. */
  readonly connectDeadline: number;
  /** Milliseconds that a peer has for taking the last bytes before the connection is cut. */
  readonly closeDeadline: number;
  /** Connected sessions of one organisation. */
  readonly organisationConnections: number;
  /** PUBLISH, SUBSCRIBE, UNSUBSCRIBE (per filter) and PINGREQ of one organisation, per second. Infinity: no bound. */
  readonly organisationMessageRate: number;
  /** Bytes from the clients of one organisation, per second. Infinity: no bound. */
  readonly organisationByteRate: number;
  /** Subscriptions of all sessions of one organisation. */
  readonly organisationSubscriptions: number;
  /** Sessions of one principal, live and kept. */
  readonly principalSessions: number;
  /** As {@link organisationMessageRate}, of one principal. */
  readonly messageRate: number;
  /** As {@link organisationByteRate}, of one principal. */
  readonly byteRate: number;
  /** Sessions that one principal may open or resume per second; ten times as many at once. Infinity: no bound. */
  readonly connectRate: number;
  /** Times per second that connections with one client id may push each other out; ten times as often at once. Infinity: no bound. */
  readonly takeoverRate: number;
  /** Milliseconds before its end at which the end of a session's credential is told. */
  readonly expiryNotice: number;
  /** Milliseconds that a connection beyond its rates is slowed down without a break before it is closed. */
  readonly slowdown: number;
  /** Bytes of topic and payload of a will. */
  readonly willSize: number;
  /** Bytes of one packet, fixed header included. */
  readonly maximumPacketSize: number;
  /** Bytes of a payload of a Watson-style client (watson-iot.md section 2.5). */
  readonly watsonPayload: number;
  /** Seconds; a longer keep alive, and none at all, is replaced by it. 0: the client may choose as it likes. */
  readonly keepAliveMaximum: number;
  /** Seconds that a session outlives its connection at most. */
  readonly sessionExpiryMaximum: number;
  /** Sessions of one organisation, live and kept. */
  readonly sessions: number;
  readonly subscriptionsPerSession: number;
  /** Levels of a topic name or filter. */
  readonly topicLevels: number;
  /** Unfinished QoS 1 and 2 messages from one client. */
  readonly receiveMaximum: number;
  /** Unfinished QoS 1 and 2 messages to one client. */
  readonly inflight: number;
  /** QoS 1 and 2 messages that wait for one client. The oldest is dropped. */
  readonly queueMessages: number;
  /** Bytes of the messages that wait for one client. */
  readonly queueBytes: number;
  /** Bytes not yet taken by a slow peer, beyond which QoS 0 is dropped and QoS 1 and 2 wait in the queue. */
  readonly outgoingBytes: number;
  /** Bytes not yet taken by a slow peer, beyond which its connection is cut. */
  readonly outgoingBytesHard: number;
  /** Topic aliases on one connection: as many of the client, and as many of the server. */
  readonly topicAliasMaximum: number;
  /** Retained messages of one organisation. */
  readonly retainedMessages: number;
  /** Bytes of the retained messages of one organisation. */
  readonly retainedBytes: number;
  /** Live instances of one scalable application. */
  readonly scalableInstances: number;
  /** Which of them the device type of the principal sets. */
  readonly ofType?: ReadonlySet<string>;
}

/** One of the figures. */
export type LimitName = Exclude<keyof BrokerLimits, 'ofType'>;

/** Safe for strangers on a small machine. */
export const DEFAULT_LIMITS: BrokerLimits = {
  connections: 100_000,
  organisationConnections: 100_000,
  organisationMessageRate: 200_000,
  organisationByteRate: 268_435_456,
  organisationSubscriptions: 1_000_000,
  principalSessions: 50_000,
  messageRate: 50_000,
  byteRate: 67_108_864,
  connectRate: 500,
  takeoverRate: 1,
  expiryNotice: 60_000,
  slowdown: 3_600_000,
  willSize: 65_536,
  connectDeadline: 10_000,
  closeDeadline: 5_000,
  maximumPacketSize: 262_144,
  watsonPayload: 131_072,
  keepAliveMaximum: 0,
  sessionExpiryMaximum: 7 * 86_400,
  sessions: 100_000,
  subscriptionsPerSession: 500,
  topicLevels: 200,
  receiveMaximum: 1000,
  inflight: 100,
  queueMessages: 5000,
  queueBytes: 16_777_216,
  outgoingBytes: 1_048_576,
  outgoingBytesHard: 16_777_216,
  topicAliasMaximum: 64,
  retainedMessages: 100_000,
  retainedBytes: 268_435_456,
  scalableInstances: 50,
};
