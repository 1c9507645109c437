import type { ByteReader } from './byte-reader.ts';
import { ANY_VIOLATION } from './decode-failure.ts';
import { readProperties } from './decode-properties.ts';
import type { QoS, Subscribe, Subscription, Unsubscribe } from './packets.ts';
import { PLACES } from './properties.ts';
import { checkSharedFilter, checkTopicFilter, isSharedFilter } from './topic-form.ts';
import { checkUtf8String, UTF8_FINE } from './utf8.ts';

/** Reads SUBSCRIBE (MQTT 5 section 3.8, MQTT 3.1.1 section 3.8). */
export function decodeSubscribe(reader: ByteReader): Subscribe {
  const packetId = reader.packetId('MQTT-2.2.1-3', 'MQTT-2.3.1-1');
  const properties = readProperties(reader, PLACES.subscribe);
  if (reader.remaining === 0) {
    reader.fail('protocol_error', 'MQTT-3.8.3-2', 'MQTT-3.8.3-3', 'SUBSCRIBE names no topic filter');
  }
  const subscriptions: Subscription[] = [];
  while (reader.remaining > 0) subscriptions.push(readSubscription(reader));
  return { type: 'subscribe', packetId, subscriptions, ...(properties && { properties }) };
}

/** Reads UNSUBSCRIBE (MQTT 5 section 3.10, MQTT 3.1.1 section 3.10). */
export function decodeUnsubscribe(reader: ByteReader): Unsubscribe {
  const packetId = reader.packetId('MQTT-2.2.1-3', 'MQTT-2.3.1-1');
  const properties = readProperties(reader, PLACES.unsubscribe);
  if (reader.remaining === 0) {
    reader.fail('protocol_error', 'MQTT-3.10.3-2', 'MQTT-3.10.3-2', 'UNSUBSCRIBE names no topic filter');
  }
  const filters: string[] = [];
  while (reader.remaining > 0) filters.push(readFilter(reader).toString('utf8'));
  return { type: 'unsubscribe', packetId, filters, ...(properties && { properties }) };
}

function readSubscription(reader: ByteReader): Subscription {
  const bytes = readFilter(reader);
  const filter = bytes.toString('utf8');
  const options = reader.byte('subscription options');
  const qos = (options & 3) as QoS;
  if (reader.version < 5) {
    if (options > 2) {
      const message = `the requested QoS byte is ${options}, not 0, 1 or 2`;
      reader.fail('malformed_packet', 'MQTT-3.8.3-5', 'MQTT-3-8.3-4', message);
    }
    return { filter, qos, noLocal: false, retainAsPublished: false, retainHandling: 0 };
  }
  const noLocal = (options & 4) !== 0;
  const retainHandling = ((options >> 4) & 3) as 0 | 1 | 2;
  if ((options & 0xc0) !== 0) {
    reader.fail('malformed_packet', 'MQTT-3.8.3-5', 'MQTT-3-8.3-4', 'a reserved subscription option is set');
  } else if ((options & 3) === 3) {
    reader.fail('protocol_error', ANY_VIOLATION.five, ANY_VIOLATION.below, 'the requested maximum QoS is 3');
  } else if (((options >> 4) & 3) === 3) {
    reader.fail('protocol_error', ANY_VIOLATION.five, ANY_VIOLATION.below, 'the retain handling is 3');
  } else if (noLocal && isSharedFilter(bytes, 0, bytes.length)) {
    const message = 'no local is set on a shared subscription';
    reader.fail('protocol_error', 'MQTT-3.8.3-4', ANY_VIOLATION.below, message);
  }
  return { filter, qos, noLocal, retainAsPublished: (options & 8) !== 0, retainHandling };
}

function readFilter(reader: ByteReader): Buffer {
  const bytes = reader.binary('topic filter');
  if (reader.failure !== undefined) return bytes;
  const form = checkUtf8String(bytes, 0, bytes.length);
  if (form !== UTF8_FINE) {
    reader.illFormed('topic filter', form);
    return bytes;
  }
  // Below MQTT 5 `$share/` is a topic like any other.
  const shared = reader.version === 5 && isSharedFilter(bytes, 0, bytes.length);
  const problem = (shared ? checkSharedFilter : checkTopicFilter)(bytes, 0, bytes.length);
  if (problem !== undefined) reader.fail('malformed_packet', problem.five, problem.below, problem.message);
  return bytes;
}
