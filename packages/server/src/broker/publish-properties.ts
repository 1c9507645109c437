import { encodePublishProperties, type Properties } from '@sallyport/mqtt';

export const NO_PROPERTIES: Buffer = Buffer.alloc(0);

const MESSAGE_EXPIRY_INTERVAL = 0x02;
const TOPIC_ALIAS = 0x23;

/**
 * The properties of a validated PUBLISH that travel on to subscribers, in their order [MQTT-3.3.2-17]: all but the topic
 * alias, which belongs to one connection [MQTT-3.3.2-7], and the expiry, which is counted down. The answer is a view on `bytes`
 * where nothing had to be taken out.
 */
export function forwardedProperties(bytes: Buffer, start: number, end: number): Buffer {
  if (start === end) return NO_PROPERTIES;
  const kept: Buffer[] = [];
  let from = start;
  let at = start;
  while (at < end) {
    const next = at + propertySize(bytes, at);
    const identifier = bytes[at];
    if (identifier === TOPIC_ALIAS || identifier === MESSAGE_EXPIRY_INTERVAL) {
      if (at > from) kept.push(bytes.subarray(from, at));
      from = next;
    }
    at = next;
  }
  if (from < end) kept.push(bytes.subarray(from, end));
  if (kept.length === 0) return NO_PROPERTIES;
  return kept.length === 1 ? kept[0]! : Buffer.concat(kept);
}

/** Bytes of one property of a client's PUBLISH, identifier included (MQTT 5 section 3.3.2.3). */
function propertySize(bytes: Buffer, at: number): number {
  switch (bytes[at]) {
    case 0x01:
      return 2;
    case MESSAGE_EXPIRY_INTERVAL:
      return 5;
    case TOPIC_ALIAS:
      return 3;
    case 0x03:
    case 0x08:
    case 0x09:
      return 3 + bytes.readUInt16BE(at + 1);
    case 0x26: {
      const name = 3 + bytes.readUInt16BE(at + 1);
      return name + 2 + bytes.readUInt16BE(at + name);
    }
    default:
      throw new TypeError(`property ${bytes[at]} cannot be in a PUBLISH that was validated`);
  }
}

/** `properties` of a message as they travel, without topic alias and expiry. */
export function encodedProperties(properties: Properties | undefined): Buffer {
  if (properties === undefined) return NO_PROPERTIES;
  const { payloadFormatIndicator, contentType, responseTopic, correlationData, userProperties } = properties;
  return encodePublishProperties({
    ...(payloadFormatIndicator === undefined ? {} : { payloadFormatIndicator }),
    ...(contentType === undefined ? {} : { contentType }),
    ...(responseTopic === undefined ? {} : { responseTopic }),
    ...(correlationData === undefined ? {} : { correlationData }),
    ...(userProperties === undefined ? {} : { userProperties }),
  });
}

/** A subscription identifier as it travels with a message; undefined for 0, which is none. */
export function identifierProperty(identifier: number): Buffer | undefined {
  return identifier === 0 ? undefined : encodePublishProperties({ subscriptionIdentifiers: [identifier] });
}

/** The topic alias of a PUBLISH to a client. */
export function aliasProperty(alias: number): Buffer {
  return Buffer.of(TOPIC_ALIAS, alias >> 8, alias & 0xff);
}

/** Message expiry interval, counted down [MQTT-3.3.2-6]. `remaining`: whole seconds. */
export function withExpiry(properties: Buffer, remaining: number): Buffer {
  const bytes = Buffer.allocUnsafe(5 + properties.length);
  bytes[0] = MESSAGE_EXPIRY_INTERVAL;
  bytes.writeUInt32BE(remaining, 1);
  properties.copy(bytes, 5);
  return bytes;
}
