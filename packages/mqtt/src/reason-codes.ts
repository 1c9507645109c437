import type { PacketType, ProtocolVersion, Sender } from './packets.ts';

/** Reason codes by the specification's names (MQTT 5 section 2.4). */
export const ReasonCode = {
  success: 0x00,
  normalDisconnection: 0x00,
  grantedQos0: 0x00,
  grantedQos1: 0x01,
  grantedQos2: 0x02,
  disconnectWithWillMessage: 0x04,
  noMatchingSubscribers: 0x10,
  noSubscriptionExisted: 0x11,
  continueAuthentication: 0x18,
  reAuthenticate: 0x19,
  unspecifiedError: 0x80,
  malformedPacket: 0x81,
  protocolError: 0x82,
  implementationSpecificError: 0x83,
  unsupportedProtocolVersion: 0x84,
  clientIdentifierNotValid: 0x85,
  badUserNameOrPassword: 0x86,
  notAuthorized: 0x87,
  serverUnavailable: 0x88,
  serverBusy: 0x89,
  banned: 0x8a,
  serverShuttingDown: 0x8b,
  badAuthenticationMethod: 0x8c,
  keepAliveTimeout: 0x8d,
  sessionTakenOver: 0x8e,
  topicFilterInvalid: 0x8f,
  topicNameInvalid: 0x90,
  packetIdentifierInUse: 0x91,
  packetIdentifierNotFound: 0x92,
  receiveMaximumExceeded: 0x93,
  topicAliasInvalid: 0x94,
  packetTooLarge: 0x95,
  messageRateTooHigh: 0x96,
  quotaExceeded: 0x97,
  administrativeAction: 0x98,
  payloadFormatInvalid: 0x99,
  retainNotSupported: 0x9a,
  qosNotSupported: 0x9b,
  useAnotherServer: 0x9c,
  serverMoved: 0x9d,
  sharedSubscriptionsNotSupported: 0x9e,
  connectionRateExceeded: 0x9f,
  maximumConnectTime: 0xa0,
  subscriptionIdentifiersNotSupported: 0xa1,
  wildcardSubscriptionsNotSupported: 0xa2,
} as const;

const NAMES: Readonly<Record<number, string>> = {
  0: 'Success',
  1: 'Granted QoS 1',
  2: 'Granted QoS 2',
  4: 'Disconnect with Will Message',
  16: 'No matching subscribers',
  17: 'No subscription existed',
  24: 'Continue authentication',
  25: 'Re-authenticate',
  128: 'Unspecified error',
  129: 'Malformed Packet',
  130: 'Protocol Error',
  131: 'Implementation specific error',
  132: 'Unsupported Protocol Version',
  133: 'Client Identifier not valid',
  134: 'Bad User Name or Password',
  135: 'Not authorized',
  136: 'Server unavailable',
  137: 'Server busy',
  138: 'Banned',
  139: 'Server shutting down',
  140: 'Bad authentication method',
  141: 'Keep Alive timeout',
  142: 'Session taken over',
  143: 'Topic Filter invalid',
  144: 'Topic Name invalid',
  145: 'Packet Identifier in use',
  146: 'Packet Identifier not found',
  147: 'Receive Maximum exceeded',
  148: 'Topic Alias invalid',
  149: 'Packet too large',
  150: 'Message rate too high',
  151: 'Quota exceeded',
  152: 'Administrative action',
  153: 'Payload format invalid',
  154: 'Retain not supported',
  155: 'QoS not supported',
  156: 'Use another server',
  157: 'Server moved',
  158: 'Shared Subscriptions not supported',
  159: 'Connection rate exceeded',
  160: 'Maximum connect time',
  161: 'Subscription Identifiers not supported',
  162: 'Wildcard Subscriptions not supported',
};

/** CONNACK return codes below MQTT 5 (MQTT 3.1.1 table 3.1). */
const RETURN_CODES: readonly string[] = [
  'Connection accepted',
  'Unacceptable protocol version',
  'Identifier rejected',
  'Server unavailable',
  'Bad user name or password',
  'Not authorized',
];

/** The specification's name of a code as it reads on a packet type; `0xNN` for one that has no name there. */
export function reasonCodeName(code: number, packetType: PacketType): string {
  if (packetType === 'disconnect' && code === 0) return 'Normal disconnection';
  if (packetType === 'suback' && code === 0) return 'Granted QoS 0';
  if (packetType === 'connack' && code < 0x80) return RETURN_CODES[code] ?? hexadecimal(code);
  return NAMES[code] ?? hexadecimal(code);
}

function hexadecimal(code: number): string {
  return `0x${code.toString(16).padStart(2, '0')}`;
}

const RECEIPT = [0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99];
const RELEASE = [0x00, 0x92];
const BY_EITHER_ON_DISCONNECT = [0x00, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99];
const BY_SERVER_ON_DISCONNECT = [
  0x87, 0x89, 0x8b, 0x8d, 0x8e, 0x8f, 0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f, 0xa0, 0xa1, 0xa2,
];

/** Codes of MQTT 5 for each packet type that carries one (MQTT 5 table 2-6). */
const CODES: Partial<Record<PacketType, readonly number[]>> = {
  connack: [
    0x00, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8c, 0x90, 0x95, 0x97, 0x99, 0x9a, 0x9b,
    0x9c, 0x9d, 0x9f,
  ],
  puback: RECEIPT,
  pubrec: RECEIPT,
  pubrel: RELEASE,
  pubcomp: RELEASE,
  suback: [0x00, 0x01, 0x02, 0x80, 0x83, 0x87, 0x8f, 0x91, 0x97, 0x9e, 0xa1, 0xa2],
  unsuback: [0x00, 0x11, 0x80, 0x83, 0x87, 0x8f, 0x91],
  disconnect: [0x04, ...BY_EITHER_ON_DISCONNECT, ...BY_SERVER_ON_DISCONNECT],
  auth: [0x00, 0x18, 0x19],
};

const CODES_BELOW_5: Partial<Record<PacketType, readonly number[]>> = {
  connack: [0, 1, 2, 3, 4, 5],
  suback: [0, 1, 2, 0x80],
};

/** Codes that only the other side may send. */
const NOT_BY: Record<Sender, Partial<Record<PacketType, readonly number[]>>> = {
  client: { disconnect: BY_SERVER_ON_DISCONNECT, auth: [0x00] },
  server: { disconnect: [0x04], auth: [0x19] },
};

/** Whether a packet type may carry a code in a version, from a sender (from either, if none is named). */
export function isReasonCodeOf(
  code: number,
  packetType: PacketType,
  version: ProtocolVersion,
  sender?: Sender,
): boolean {
  const codes = version === 5 ? CODES[packetType] : (CODES_BELOW_5[packetType] ?? [0]);
  if (codes === undefined || !codes.includes(code)) return false;
  return sender === undefined || !NOT_BY[sender][packetType]?.includes(code);
}
