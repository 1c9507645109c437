import { presentTopic } from '@sallyport/model';
import { publishSize, type QoS, writeAck, writePublish } from '@sallyport/mqtt';
import type { BrokerContext } from './context.ts';
import { noteDrop } from './drops.ts';
import type { Link } from './link.ts';
import type { Message } from './message.ts';
import { type MessageQueue, QOS_BITS, RETAIN_BIT } from './message-queue.ts';
import { NO_PROPERTIES, withExpiry } from './publish-properties.ts';
import type { Receiver } from './receiver.ts';
import type { RetainedMessages } from './retained.ts';
import { AWAITS_PUBACK, AWAITS_PUBCOMP, AWAITS_PUBREC, FREE } from './window.ts';

/**
 * Sends what waits for a client, as far as it takes it: first what an earlier connection left unfinished, then retained
 * messages for new subscriptions, then the queue. Called whenever the client may have room again.
 */
export function pump(context: BrokerContext, receiver: Receiver, retained: RetainedMessages): void {
  const { link } = receiver;
  if (link === undefined) return;
  while (receiver.resend.length > 0 && !link.congested) {
    const packetId = receiver.resend[receiver.resend.length - 1]!;
    if (!sendAgain(context, receiver, link, packetId)) return;
    receiver.resend.pop();
  }
  if (receiver.resend.length > 0) return;

  const { backlog, queue } = receiver;
  while (backlog.length > 0) {
    const { first } = backlog;
    // A later message of the topic has overtaken it: the old one must not arrive after the new one.
    if (first === undefined || retained.get(first.topic) !== first) backlog.shift();
    else if (!sendFirst(context, receiver, link, backlog)) return;
  }
  while (queue.length > 0) {
    const before = queue.length;
    if (!sendFirst(context, receiver, link, queue)) return;
    context.counters.queuedNow -= before - queue.length;
  }
}

/** PUBLISH with DUP or PUBREL of an earlier connection [MQTT-4.4.0-1]. False if the client must acknowledge something first. */
function sendAgain(context: BrokerContext, receiver: Receiver, link: Link, packetId: number): boolean {
  const { window } = receiver;
  const state = window.state(packetId);
  if (state === FREE) return true;
  if (state === AWAITS_PUBCOMP) {
    writeAck(link.slab, 'pubrel', packetId, 0, link.version);
    link.touch();
    return true;
  }
  const message = window.message(packetId)!;
  if (!stillPermitted(context, receiver, message)) {
    window.close(packetId);
    return true;
  }
  if (receiver.quota === 0) return false;
  const flags = window.flags(packetId);
  if (!writeMessage(context, receiver, link, message, flags, window.identifiers(packetId), packetId, true)) {
    window.close(packetId);
    return true;
  }
  receiver.quota--;
  return true;
}

/** Sends the first of a queue and takes it off. False, and nothing is taken, if the client has no room. */
function sendFirst(context: BrokerContext, receiver: Receiver, link: Link, queue: MessageQueue): boolean {
  const message = queue.first!;
  const flags = queue.firstFlags;
  const identifiers = queue.firstIdentifiers;
  const qos = (flags & QOS_BITS) as QoS;
  const { window } = receiver;
  if (link.congested) return false;
  if (qos > 0 && (receiver.quota === 0 || window.size >= receiver.limits.inflight)) return false;
  queue.shift();
  if (message.expiresAt !== 0 && message.expiresAt <= context.now()) {
    noteDrop(context, receiver, 'expired');
    return true;
  }
  if (!stillPermitted(context, receiver, message)) return true;
  if (qos === 0) {
    writeMessage(context, receiver, link, message, flags, identifiers, 0, false);
    return true;
  }
  const packetId = window.open(message, flags, identifiers, qos === 1 ? AWAITS_PUBACK : AWAITS_PUBREC);
  if (writeMessage(context, receiver, link, message, flags, identifiers, packetId, false)) receiver.quota--;
  else window.close(packetId);
  return true;
}

/** What has waited may have waited longer than the right to it. */
function stillPermitted(context: BrokerContext, { rights }: Receiver, message: Message): boolean {
  if (rights.permits('receive', message.topic)) return true;
  context.counters.deliveriesDenied++;
  context.events.emit({ type: 'delivery.denied', refusal: rights.refuse('receive', message.topic) });
  return false;
}

/** False if the client does not take packets so large: the message is dropped [MQTT-3.1.2-25]. */
function writeMessage(
  context: BrokerContext,
  receiver: Receiver,
  link: Link,
  message: Message,
  flags: number,
  identifiers: Buffer | undefined,
  packetId: number,
  dup: boolean,
): boolean {
  const qos = (flags & QOS_BITS) as QoS;
  const topic = presented(receiver, message);
  const properties = link.version < 5 ? NO_PROPERTIES : messageProperties(context, message, identifiers);
  const payload = message.body.length - message.payloadStart;
  const size = publishSize(link.version, topic.length, payload, qos, properties.length);
  if (size > receiver.maximumPacketSize) {
    noteDrop(context, receiver, 'too_large');
    return false;
  }
  const retain = (flags & RETAIN_BIT) !== 0;
  const { body, payloadStart } = message;
  writePublish(link.slab, link.version, topic, body, payloadStart, body.length, qos, retain, dup, packetId, properties);
  context.counters.messagesSent++;
  link.messagesOut++;
  link.touch();
  return true;
}

function presented({ scope }: Receiver, message: Message): Buffer {
  if (scope === undefined) return message.topicBytes;
  const short = presentTopic(scope, message.topic);
  return short === message.topic ? message.topicBytes : Buffer.from(short);
}

function messageProperties(context: BrokerContext, message: Message, identifiers: Buffer | undefined): Buffer {
  let properties = message.body.subarray(0, message.payloadStart);
  if (message.expiresAt !== 0) {
    const remaining = Math.max(1, Math.ceil((message.expiresAt - context.now()) / 1000));
    properties = withExpiry(properties, remaining);
  }
  return identifiers === undefined ? properties : Buffer.concat([properties, identifiers]);
}
