import type { ByteReader } from './byte-reader.ts';
import { ANY_VIOLATION } from './decode-failure.ts';
import { readProperties } from './decode-properties.ts';
import type { ConnAck } from './packets.ts';
import { PLACES } from './properties.ts';
import { isReasonCodeOf } from './reason-codes.ts';

/** Reads CONNACK (MQTT 5 section 3.2, MQTT 3.1.1 section 3.2). */
export function decodeConnAck(reader: ByteReader): ConnAck {
  const flags = reader.byte('connect acknowledge flags');
  // MQTT 3.1 reserves this byte and gives it no value.
  if (flags > 1 && reader.version > 3) {
    const message = 'a reserved connect acknowledge flag is set';
    reader.fail('malformed_packet', 'MQTT-3.2.2-1', ANY_VIOLATION.below, message);
  }
  const sessionPresent = flags === 1 && reader.version > 3;
  const reasonCode = reader.byte('reason code');
  if (!isReasonCodeOf(reasonCode, 'connack', reader.version)) {
    const message = `reason code ${reasonCode} does not belong on CONNACK`;
    reader.fail('protocol_error', 'MQTT-3.2.2-8', ANY_VIOLATION.below, message);
  }
  if (sessionPresent && reasonCode !== 0) {
    const message = 'session present is set on a refusal';
    reader.fail('protocol_error', 'MQTT-3.2.2-6', 'MQTT-3.2.2-4', message);
  }
  const properties = readProperties(reader, PLACES.connack);
  reader.finish();
  return { type: 'connack', sessionPresent, reasonCode, ...(properties && { properties }) };
}
