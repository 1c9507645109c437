import { PROPERTY_ROWS, type PropertyRow } from './properties.ts';
import { copyBytes } from './slab.ts';
import { encodedLength, variableByteIntegerSize, writeVariableByteInteger } from './variable-byte-integer.ts';

const MESSAGE_EXPIRY_INTERVAL = 0x02;
const SUBSCRIPTION_IDENTIFIER = 0x0b;
const TOPIC_ALIAS = 0x23;

/** What a server changes in the properties of a message on its way to a subscriber. */
export interface ForwardChanges {
  /** What remains of the message expiry interval, seconds [MQTT-3.3.2-6]; without it the interval is left as it came. */
  readonly messageExpiryInterval?: number;
  /** Those of the matching subscriptions [MQTT-3.3.4-3]. */
  readonly subscriptionIdentifiers?: readonly number[];
}

/**
 * The encoded properties of a checked PUBLISH as they go to a subscriber: all that belongs to the message unaltered and in
 * order [MQTT-3.3.2-17] [MQTT-3.3.2-18], without the topic alias, which belongs to the connection it came on.
 */
export function forwardProperties(bytes: Buffer, start: number, end: number, changes: ForwardChanges = {}): Buffer {
  const { messageExpiryInterval, subscriptionIdentifiers = [] } = changes;
  let size = end - start;
  for (const identifier of subscriptionIdentifiers) size += 1 + variableByteIntegerSize(identifier);
  const forwarded = Buffer.allocUnsafe(size);
  let offset = 0;
  let position = start;
  while (position < end) {
    const identifier = bytes[position]!;
    const next = propertyEnd(PROPERTY_ROWS[identifier]!, bytes, position + 1);
    if (identifier !== TOPIC_ALIAS && identifier !== SUBSCRIPTION_IDENTIFIER) {
      copyBytes(forwarded, offset, bytes, position, next);
      if (identifier === MESSAGE_EXPIRY_INTERVAL && messageExpiryInterval !== undefined) {
        forwarded.writeUInt32BE(messageExpiryInterval, offset + 1);
      }
      offset += next - position;
    }
    position = next;
  }
  for (const identifier of subscriptionIdentifiers) {
    forwarded[offset] = SUBSCRIPTION_IDENTIFIER;
    offset = writeVariableByteInteger(forwarded, offset + 1, identifier);
  }
  return forwarded.subarray(0, offset);
}

function propertyEnd(row: PropertyRow, bytes: Uint8Array, position: number): number {
  switch (row.kind) {
    case 'bit':
    case 'flag':
      return position + 1;
    case 'two':
      return position + 2;
    case 'four':
      return position + 4;
    case 'variable':
      return position + encodedLength(bytes, position);
    case 'string':
    case 'topic':
    case 'binary':
      return fieldEnd(bytes, position);
    case 'pair':
      return fieldEnd(bytes, fieldEnd(bytes, position));
  }
}

function fieldEnd(bytes: Uint8Array, position: number): number {
  return position + 2 + ((bytes[position]! << 8) | bytes[position + 1]!);
}
