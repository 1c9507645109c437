import { ByteWriter } from './byte-writer.ts';
import { EncodeError } from './encode-error.ts';
import { writeProperties } from './encode-properties.ts';
import type { ProtocolVersion, SubAck, Subscribe, Subscription, UnsubAck, Unsubscribe } from './packets.ts';
import { PLACES } from './properties.ts';
import { isReasonCodeOf } from './reason-codes.ts';
import { checkSharedFilter, checkTopicFilter, isSharedFilter } from './topic-form.ts';

/** Encodes SUBSCRIBE (MQTT 5 section 3.8). */
export function encodeSubscribe(packet: Subscribe, version: ProtocolVersion): Buffer {
  if (packet.subscriptions.length === 0) throw new EncodeError('SUBSCRIBE needs a topic filter');
  const writer = new ByteWriter(64);
  writer.packetId(packet.packetId);
  writeProperties(writer, packet.properties, PLACES.subscribe, 'subscribe', version);
  for (const subscription of packet.subscriptions) {
    const shared = writeFilter(writer, subscription.filter, version);
    if (shared && subscription.noLocal) throw new EncodeError('no local cannot be set on a shared subscription');
    writer.byte(optionsOf(subscription, version), 'subscription options');
  }
  return writer.finish(0x82);
}

/** Encodes UNSUBSCRIBE (MQTT 5 section 3.10). */
export function encodeUnsubscribe(packet: Unsubscribe, version: ProtocolVersion): Buffer {
  if (packet.filters.length === 0) throw new EncodeError('UNSUBSCRIBE needs a topic filter');
  const writer = new ByteWriter(64);
  writer.packetId(packet.packetId);
  writeProperties(writer, packet.properties, PLACES.unsubscribe, 'unsubscribe', version);
  for (const filter of packet.filters) writeFilter(writer, filter, version);
  return writer.finish(0xa2);
}

/** Encodes SUBACK (MQTT 5 section 3.9). */
export function encodeSubAck(packet: SubAck, version: ProtocolVersion): Buffer {
  if (packet.reasonCodes.length === 0) throw new EncodeError('SUBACK needs a reason code for each topic filter');
  const writer = new ByteWriter(32);
  writer.packetId(packet.packetId);
  writeProperties(writer, packet.properties, PLACES.suback, 'suback', version);
  writeReasonCodes(writer, packet, version);
  return writer.finish(0x90);
}

/** Encodes UNSUBACK (MQTT 5 section 3.11); below MQTT 5 it holds no reason codes. */
export function encodeUnsubAck(packet: UnsubAck, version: ProtocolVersion): Buffer {
  if (version < 5 !== (packet.reasonCodes.length === 0)) {
    throw new EncodeError('UNSUBACK has a reason code for each topic filter in MQTT 5, and none below');
  }
  const writer = new ByteWriter(32);
  writer.packetId(packet.packetId);
  writeProperties(writer, packet.properties, PLACES.unsuback, 'unsuback', version);
  writeReasonCodes(writer, packet, version);
  return writer.finish(0xb0);
}

function writeReasonCodes(writer: ByteWriter, packet: SubAck | UnsubAck, version: ProtocolVersion): void {
  for (const code of packet.reasonCodes) {
    if (!isReasonCodeOf(code, packet.type, version)) {
      const type = packet.type.toUpperCase();
      throw new EncodeError(`reason code ${code} does not belong on ${type} in version ${version}`);
    }
    writer.byte(code, 'reason code');
  }
}

/** Answers whether the filter is one of a shared subscription. */
function writeFilter(writer: ByteWriter, filter: string, version: ProtocolVersion): boolean {
  const start = writer.string(filter, 'topic filter');
  const shared = version === 5 && isSharedFilter(writer.bytes, start, writer.position);
  const problem = (shared ? checkSharedFilter : checkTopicFilter)(writer.bytes, start, writer.position);
  if (problem !== undefined) throw new EncodeError(problem.message);
  return shared;
}

function optionsOf(subscription: Subscription, version: ProtocolVersion): number {
  const { qos, noLocal, retainAsPublished, retainHandling } = subscription;
  if (version === 5) return qos | (noLocal ? 4 : 0) | (retainAsPublished ? 8 : 0) | (retainHandling << 4);
  if (noLocal || retainAsPublished || retainHandling !== 0) {
    throw new EncodeError('subscription options other than QoS do not exist below MQTT 5');
  }
  return qos;
}
