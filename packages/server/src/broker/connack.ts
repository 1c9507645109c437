import type { ConnAck, Connect, Properties } from '@sallyport/mqtt';
import { type AuthExchange, authProperties } from './auth-exchange.ts';
import type { Opened } from './open-session.ts';
import { responseInformation } from './response-information.ts';

const SCALABLE_KEEP_ALIVE = 3600;

/** Seconds of keep alive that hold for a session; 0: none. */
export function keepAliveOf(packet: Connect, { session }: Opened): number {
  const asked = packet.keepAlive;
  const { keepAliveMaximum } = session.limits;
  // watson-iot.md section 2.9.
  const most =
    session.share === undefined
      ? keepAliveMaximum
      : Math.min(keepAliveMaximum || SCALABLE_KEEP_ALIVE, SCALABLE_KEEP_ALIVE);
  return most > 0 && (asked === 0 || asked > most) ? most : asked;
}

/**
 * The CONNACK of a session that was opened. MQTT 5 clients are told every bound that they would otherwise run into, and
 * nothing that the specification lets them take for granted: all QoS, retained messages, wildcards, identifiers and shared subscriptions.
 */
export function welcome(packet: Connect, opened: Opened, exchange?: AuthExchange): ConnAck {
  const { session, sessionPresent, assigned } = opened;
  const plain: ConnAck = { type: 'connack', sessionPresent, reasonCode: 0 };
  if (packet.protocolVersion < 5) return plain;
  const { limits } = session;
  const keepAlive = keepAliveOf(packet, opened);
  const askedExpiry = packet.properties?.sessionExpiryInterval ?? 0;
  const responses = responseInformation(packet, session);
  const properties: Properties = {
    receiveMaximum: Math.min(limits.receiveMaximum, 65_535),
    maximumPacketSize: limits.maximumPacketSize,
    topicAliasMaximum: limits.topicAliasMaximum,
    ...(session.expiry === askedExpiry ? {} : { sessionExpiryInterval: session.expiry }),
    ...(keepAlive === packet.keepAlive ? {} : { serverKeepAlive: keepAlive }),
    ...(assigned ? { assignedClientIdentifier: session.clientId } : {}),
    ...(responses === undefined ? {} : { responseInformation: responses }),
    ...(exchange === undefined ? {} : authProperties(exchange, exchange.conclusion)),
  };
  return { ...plain, properties };
}
