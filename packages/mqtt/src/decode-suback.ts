import type { ByteReader } from './byte-reader.ts';
import { ANY_VIOLATION } from './decode-failure.ts';
import { readProperties } from './decode-properties.ts';
import type { SubAck, UnsubAck } from './packets.ts';
import { PLACES } from './properties.ts';
import { isReasonCodeOf } from './reason-codes.ts';

/** Reads SUBACK (MQTT 5 section 3.9, MQTT 3.1.1 section 3.9). */
export function decodeSubAck(reader: ByteReader): SubAck {
  const packetId = reader.packetId('MQTT-2.2.1-6', 'MQTT-2.3.1-7');
  const properties = readProperties(reader, PLACES.suback);
  if (reader.remaining === 0) {
    reader.fail('protocol_error', 'MQTT-3.8.4-6', 'MQTT-3.8.4-5', 'SUBACK holds no reason code');
  }
  const reasonCodes = readReasonCodes(reader, 'suback', 'MQTT-3.9.3-2', 'MQTT-3.9.3-2');
  return { type: 'suback', packetId, reasonCodes, ...(properties && { properties }) };
}

/** Reads UNSUBACK (MQTT 5 section 3.11); below MQTT 5 it is the packet identifier alone. */
export function decodeUnsubAck(reader: ByteReader): UnsubAck {
  const packetId = reader.packetId('MQTT-2.2.1-6', 'MQTT-2.3.1-7');
  if (reader.version < 5) {
    reader.finish();
    return { type: 'unsuback', packetId, reasonCodes: [] };
  }
  const properties = readProperties(reader, PLACES.unsuback);
  if (reader.remaining === 0) {
    reader.fail('protocol_error', 'MQTT-3.11.3-1', ANY_VIOLATION.below, 'UNSUBACK holds no reason code');
  }
  const reasonCodes = readReasonCodes(reader, 'unsuback', 'MQTT-3.11.3-2', ANY_VIOLATION.below);
  return { type: 'unsuback', packetId, reasonCodes, ...(properties && { properties }) };
}

function readReasonCodes(reader: ByteReader, type: 'suback' | 'unsuback', five: string, below: string): number[] {
  const codes: number[] = [];
  while (reader.remaining > 0) {
    const code = reader.byte('reason code');
    codes.push(code);
    if (!isReasonCodeOf(code, type, reader.version)) {
      reader.fail('protocol_error', five, below, `reason code ${code} does not belong on ${type.toUpperCase()}`);
    }
  }
  return codes;
}
