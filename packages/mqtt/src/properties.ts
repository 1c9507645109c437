/** Properties of an MQTT 5 packet by the specification's names (MQTT 5 section 2.2.2.2). Intervals are seconds. */
export interface Properties {
  readonly payloadFormatIndicator?: number;
  readonly messageExpiryInterval?: number;
  readonly contentType?: string;
  readonly responseTopic?: string;
  readonly correlationData?: Uint8Array;
  /** In the order of the wire; SUBSCRIBE carries at most one. */
  readonly subscriptionIdentifiers?: readonly number[];
  readonly sessionExpiryInterval?: number;
  readonly assignedClientIdentifier?: string;
  readonly serverKeepAlive?: number;
  readonly authenticationMethod?: string;
  readonly authenticationData?: Uint8Array;
  readonly requestProblemInformation?: boolean;
  readonly willDelayInterval?: number;
  readonly requestResponseInformation?: boolean;
  readonly responseInformation?: string;
  readonly serverReference?: string;
  readonly reasonString?: string;
  readonly receiveMaximum?: number;
  readonly topicAliasMaximum?: number;
  readonly topicAlias?: number;
  readonly maximumQos?: number;
  readonly retainAvailable?: boolean;
  /** In the order of the wire; the same name may come more than once. */
  readonly userProperties?: readonly (readonly [string, string])[];
  /** Bytes. */
  readonly maximumPacketSize?: number;
  readonly wildcardSubscriptionAvailable?: boolean;
  readonly subscriptionIdentifierAvailable?: boolean;
  readonly sharedSubscriptionAvailable?: boolean;
}

/** How a value travels. `bit` is a byte that is 0 or 1 and a number here; `flag` is the same and a boolean here. */
export type PropertyKind = 'bit' | 'flag' | 'two' | 'four' | 'variable' | 'string' | 'topic' | 'binary' | 'pair';

/** Where properties may stand; one bit each, so that a row of the table is one number. */
export const PLACES = {
  connect: 1 << 0,
  connack: 1 << 1,
  publishFromClient: 1 << 2,
  publishFromServer: 1 << 3,
  will: 1 << 4,
  puback: 1 << 5,
  pubrec: 1 << 6,
  pubrel: 1 << 7,
  pubcomp: 1 << 8,
  subscribe: 1 << 9,
  suback: 1 << 10,
  unsubscribe: 1 << 11,
  unsuback: 1 << 12,
  disconnectFromClient: 1 << 13,
  disconnectFromServer: 1 << 14,
  auth: 1 << 15,
} as const;

const publish = PLACES.publishFromClient | PLACES.publishFromServer;
const message = publish | PLACES.will;
const disconnect = PLACES.disconnectFromClient | PLACES.disconnectFromServer;
const greeting = PLACES.connect | PLACES.connack;
const answer =
  PLACES.connack |
  PLACES.puback |
  PLACES.pubrec |
  PLACES.pubrel |
  PLACES.pubcomp |
  PLACES.suback |
  PLACES.unsuback |
  disconnect |
  PLACES.auth;

export interface PropertyRow {
  readonly identifier: number;
  readonly name: keyof Properties;
  readonly kind: PropertyKind;
  readonly places: number;
  /** Zero is a protocol error. */
  readonly positive?: true;
  /** Normative statement for the value; without one, the general rule on malformed packets is cited. */
  readonly statement?: string;
}

/** The one table of MQTT 5 section 2.2.2.2. Its order gives each property its bit in "was seen" masks. */
export const PROPERTY_TABLE: readonly PropertyRow[] = [
  { identifier: 0x01, name: 'payloadFormatIndicator', kind: 'bit', places: message },
  { identifier: 0x02, name: 'messageExpiryInterval', kind: 'four', places: message },
  { identifier: 0x03, name: 'contentType', kind: 'string', places: message, statement: 'MQTT-3.3.2-19' },
  { identifier: 0x08, name: 'responseTopic', kind: 'topic', places: message, statement: 'MQTT-3.3.2-14' },
  { identifier: 0x09, name: 'correlationData', kind: 'binary', places: message },
  {
    identifier: 0x0b,
    name: 'subscriptionIdentifiers',
    kind: 'variable',
    places: PLACES.publishFromServer | PLACES.subscribe,
    positive: true,
  },
  { identifier: 0x11, name: 'sessionExpiryInterval', kind: 'four', places: greeting | PLACES.disconnectFromClient },
  { identifier: 0x12, name: 'assignedClientIdentifier', kind: 'string', places: PLACES.connack },
  { identifier: 0x13, name: 'serverKeepAlive', kind: 'two', places: PLACES.connack },
  { identifier: 0x15, name: 'authenticationMethod', kind: 'string', places: greeting | PLACES.auth },
  { identifier: 0x16, name: 'authenticationData', kind: 'binary', places: greeting | PLACES.auth },
  { identifier: 0x17, name: 'requestProblemInformation', kind: 'flag', places: PLACES.connect },
  { identifier: 0x18, name: 'willDelayInterval', kind: 'four', places: PLACES.will },
  { identifier: 0x19, name: 'requestResponseInformation', kind: 'flag', places: PLACES.connect },
  { identifier: 0x1a, name: 'responseInformation', kind: 'string', places: PLACES.connack },
  {
    identifier: 0x1c,
    name: 'serverReference',
    kind: 'string',
    places: PLACES.connack | PLACES.disconnectFromServer,
  },
  { identifier: 0x1f, name: 'reasonString', kind: 'string', places: answer },
  { identifier: 0x21, name: 'receiveMaximum', kind: 'two', places: greeting, positive: true },
  { identifier: 0x22, name: 'topicAliasMaximum', kind: 'two', places: greeting },
  {
    identifier: 0x23,
    name: 'topicAlias',
    kind: 'two',
    places: publish,
    positive: true,
    statement: 'MQTT-3.3.2-8',
  },
  { identifier: 0x24, name: 'maximumQos', kind: 'bit', places: PLACES.connack },
  { identifier: 0x25, name: 'retainAvailable', kind: 'flag', places: PLACES.connack },
  { identifier: 0x26, name: 'userProperties', kind: 'pair', places: 0xffff, statement: 'MQTT-1.5.7-1' },
  { identifier: 0x27, name: 'maximumPacketSize', kind: 'four', places: greeting, positive: true },
  { identifier: 0x28, name: 'wildcardSubscriptionAvailable', kind: 'flag', places: PLACES.connack },
  { identifier: 0x29, name: 'subscriptionIdentifierAvailable', kind: 'flag', places: PLACES.connack },
  { identifier: 0x2a, name: 'sharedSubscriptionAvailable', kind: 'flag', places: PLACES.connack },
];

/** Rows at the index of their identifier. */
export const PROPERTY_ROWS: readonly (PropertyRow | undefined)[] = Array.from({ length: 0x2b }, (_, identifier) =>
  PROPERTY_TABLE.find((row) => row.identifier === identifier),
);
