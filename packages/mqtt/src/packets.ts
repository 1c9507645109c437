import type { Properties } from './properties.ts';

/** Protocol level on the wire: 3 is MQTT 3.1 (`MQIsdp`), 4 is MQTT 3.1.1, 5 is MQTT 5. */
export type ProtocolVersion = 3 | 4 | 5;

export type QoS = 0 | 1 | 2;

/** Who has sent a packet; most packet types may travel in one direction only. */
export type Sender = 'client' | 'server';

/** The message that the server publishes for a client that vanishes (MQTT 5 section 3.1.2.5). */
export interface Will {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly properties?: Properties;
}

/** MQTT 5 section 3.1. `cleanStart` is called clean session below MQTT 5. */
export interface Connect {
  readonly type: 'connect';
  readonly protocolVersion: ProtocolVersion;
  readonly cleanStart: boolean;
  /** Seconds; 0 is none. */
  readonly keepAlive: number;
  readonly clientId: string;
  readonly will?: Will;
  readonly username?: string;
  readonly password?: Uint8Array;
  readonly properties?: Properties;
}

/** MQTT 5 section 3.2. Below MQTT 5 `reasonCode` is the return code, 0 to 5. */
export interface ConnAck {
  readonly type: 'connack';
  readonly sessionPresent: boolean;
  readonly reasonCode: number;
  readonly properties?: Properties;
}

/** MQTT 5 section 3.3. `packetId` is present if and only if `qos` is above 0. */
export interface Publish {
  readonly type: 'publish';
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly dup: boolean;
  readonly packetId?: number;
  readonly properties?: Properties;
}

export type AcknowledgementType = 'puback' | 'pubrec' | 'pubrel' | 'pubcomp';

interface Acknowledgement<T extends AcknowledgementType> {
  readonly type: T;
  readonly packetId: number;
  /** Always 0 below MQTT 5. */
  readonly reasonCode: number;
  readonly properties?: Properties;
}

/** MQTT 5 section 3.4. */
export type PubAck = Acknowledgement<'puback'>;
/** MQTT 5 section 3.5. */
export type PubRec = Acknowledgement<'pubrec'>;
/** MQTT 5 section 3.6. */
export type PubRel = Acknowledgement<'pubrel'>;
/** MQTT 5 section 3.7. */
export type PubComp = Acknowledgement<'pubcomp'>;

/** One line of a SUBSCRIBE. Below MQTT 5 only `filter` and `qos` travel; the rest is false, false, 0. */
export interface Subscription {
  readonly filter: string;
  readonly qos: QoS;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  readonly retainHandling: 0 | 1 | 2;
}

/** MQTT 5 section 3.8. Never without a subscription. */
export interface Subscribe {
  readonly type: 'subscribe';
  readonly packetId: number;
  readonly subscriptions: readonly Subscription[];
  readonly properties?: Properties;
}

/** MQTT 5 section 3.9. Below MQTT 5 the codes are 0, 1, 2 and 0x80. */
export interface SubAck {
  readonly type: 'suback';
  readonly packetId: number;
  readonly reasonCodes: readonly number[];
  readonly properties?: Properties;
}

/** MQTT 5 section 3.10. Never without a filter. */
export interface Unsubscribe {
  readonly type: 'unsubscribe';
  readonly packetId: number;
  readonly filters: readonly string[];
  readonly properties?: Properties;
}

/** MQTT 5 section 3.11. Below MQTT 5 `reasonCodes` is empty. */
export interface UnsubAck {
  readonly type: 'unsuback';
  readonly packetId: number;
  readonly reasonCodes: readonly number[];
  readonly properties?: Properties;
}

/** MQTT 5 section 3.12. */
export interface PingReq {
  readonly type: 'pingreq';
}

/** MQTT 5 section 3.13. */
export interface PingResp {
  readonly type: 'pingresp';
}

/** MQTT 5 section 3.14. Below MQTT 5 only a client sends it, and `reasonCode` is 0. */
export interface Disconnect {
  readonly type: 'disconnect';
  readonly reasonCode: number;
  readonly properties?: Properties;
}

/** MQTT 5 section 3.15. */
export interface Auth {
  readonly type: 'auth';
  readonly reasonCode: number;
  readonly properties?: Properties;
}

export type Packet =
  | Connect
  | ConnAck
  | Publish
  | PubAck
  | PubRec
  | PubRel
  | PubComp
  | Subscribe
  | SubAck
  | Unsubscribe
  | UnsubAck
  | PingReq
  | PingResp
  | Disconnect
  | Auth;

export type PacketType = Packet['type'];

/** Packet types at the index of their number on the wire (MQTT 5 table 2-1); 0 is reserved. */
export const PACKET_TYPES: readonly (PacketType | undefined)[] = [
  undefined,
  'connect',
  'connack',
  'publish',
  'puback',
  'pubrec',
  'pubrel',
  'pubcomp',
  'subscribe',
  'suback',
  'unsubscribe',
  'unsuback',
  'pingreq',
  'pingresp',
  'disconnect',
  'auth',
];
