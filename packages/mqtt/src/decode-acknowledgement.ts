import type { ByteReader } from './byte-reader.ts';
import { ANY_VIOLATION } from './decode-failure.ts';
import { readProperties } from './decode-properties.ts';
import type { AcknowledgementType, PubAck, PubComp, PubRec, PubRel } from './packets.ts';
import { PLACES } from './properties.ts';
import { isReasonCodeOf } from './reason-codes.ts';

const STATEMENTS: Record<AcknowledgementType, string> = {
  puback: 'MQTT-3.4.2-1',
  pubrec: 'MQTT-3.5.2-1',
  pubrel: 'MQTT-3.6.2-1',
  pubcomp: 'MQTT-3.7.2-1',
};

/** Reads PUBACK, PUBREC, PUBREL or PUBCOMP (MQTT 5 sections 3.4 to 3.7). */
export function decodeAcknowledgement(
  reader: ByteReader,
  type: AcknowledgementType,
): PubAck | PubRec | PubRel | PubComp {
  const packetId = reader.packetId('MQTT-2.2.1-5', 'MQTT-2.3.1-6');
  if (reader.version < 5 || reader.remaining === 0) {
    reader.finish();
    return { type, packetId, reasonCode: 0 };
  }
  const reasonCode = reader.byte('reason code');
  if (!isReasonCodeOf(reasonCode, type, 5)) {
    const message = `reason code ${reasonCode} does not belong on ${type.toUpperCase()}`;
    reader.fail('protocol_error', STATEMENTS[type], ANY_VIOLATION.below, message);
  }
  // The property length may be left out when the reason code is the last byte (MQTT 5 section 3.4.2.2.1).
  const properties = reader.remaining > 0 ? readProperties(reader, PLACES[type]) : undefined;
  reader.finish();
  return { type, packetId, reasonCode, ...(properties && { properties }) };
}
