/** What the broker counts. Plain numbers that only grow (but for those named `…Now`), read at each scrape of the metrics. */
export interface BrokerCounters {
  connectionsNow: number;
  sessionsNow: number;
  sessionsOpened: number;
  sessionsRefused: number;
  /** Sessions taken over by a newer connection with the same client identifier. */
  sessionsTakenOver: number;
  bytesReceived: number;
  bytesSent: number;
  packetsReceived: number;
  /** PUBLISH packets from clients. */
  messagesReceived: number;
  /** PUBLISH packets to clients. */
  messagesSent: number;
  messagesDenied: number;
  subscriptionsDenied: number;
  deliveriesDenied: number;
  /** QoS 0 messages that a slow peer has not got. */
  droppedSlowPeer: number;
  /** Messages that fell out of a full queue. */
  droppedQueueFull: number;
  droppedExpired: number;
  /** Messages larger than the receiver takes. */
  droppedTooLarge: number;
  protocolErrors: number;
  /** Connections that began to be read more slowly because they did not keep to their rates. */
  slowedDown: number;
  keepAliveTimeouts: number;
  connectTimeouts: number;
  retainedNow: number;
  retainedBytesNow: number;
  /** Retained messages not stored because the bound of the organisation was reached. */
  retainedRefused: number;
  subscriptionsNow: number;
  queuedNow: number;
  defects: number;
}

/** All counters at zero. */
export function newCounters(): BrokerCounters {
  return {
    connectionsNow: 0,
    sessionsNow: 0,
    sessionsOpened: 0,
    sessionsRefused: 0,
    sessionsTakenOver: 0,
    bytesReceived: 0,
    bytesSent: 0,
    packetsReceived: 0,
    messagesReceived: 0,
    messagesSent: 0,
    messagesDenied: 0,
    subscriptionsDenied: 0,
    deliveriesDenied: 0,
    droppedSlowPeer: 0,
    droppedQueueFull: 0,
    droppedExpired: 0,
    droppedTooLarge: 0,
    protocolErrors: 0,
    slowedDown: 0,
    keepAliveTimeouts: 0,
    connectTimeouts: 0,
    retainedNow: 0,
    retainedBytesNow: 0,
    retainedRefused: 0,
    subscriptionsNow: 0,
    queuedNow: 0,
    defects: 0,
  };
}
