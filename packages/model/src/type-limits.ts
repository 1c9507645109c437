interface LimitRow {
  readonly minimum: number;
  readonly maximum: number;
  /** Bytes are written with a unit by people. */
  readonly unit: 'bytes' | 'number';
  readonly meaning: string;
}

/** Bounds that a device type can have of its own, with the names that those of all devices have in the configuration. */
export const TYPE_LIMITS = {
  maximumSessions: row(10_000_000, 'Sessions of one device, connected and kept.'),
  maximumMessageRate: row(10_000_000, 'Messages that one device may send per second.'),
  maximumByteRate: row(64 * 1024 ** 3, 'Bytes that one device may send per second.', 1024),
  maximumConnectRate: row(1_000_000, 'Connections that one device may make per second.'),
  maximumSubscriptions: row(100_000, 'Subscriptions of one session.'),
  receiveMaximum: row(65_535, 'Messages of QoS 1 and 2 from the client that may be unfinished at once.'),
  maximumInflight: row(65_535, 'Messages of QoS 1 and 2 to the client that may be unfinished at once.'),
  maximumQueuedMessages: row(10_000_000, 'Messages of QoS 1 and 2 that wait for the client.'),
  maximumQueuedSize: row(64 * 1024 ** 3, 'Bytes of the messages that wait for the client.', 65_536),
} as const satisfies Record<string, LimitRow>;
export type TypeLimitName = keyof typeof TYPE_LIMITS;
/** What is left out is as the configuration says of all devices or gateways. */
export type TypeLimits = { readonly [N in TypeLimitName]?: number };
export const TYPE_LIMIT_NAMES = Object.keys(TYPE_LIMITS) as readonly TypeLimitName[];

function row(maximum: number, meaning: string, leastBytes?: number): LimitRow {
  return { minimum: leastBytes ?? 1, maximum, unit: leastBytes === undefined ? 'number' : 'bytes', meaning };
}
