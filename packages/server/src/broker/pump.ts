import { presentTopic } from '@sallyport/model';
import { publishSize, type QoS, writeAck, writePublish } from '@sallyport/mqtt';
import type { BrokerContext } from './context.ts';
import { noteDrop } from './drops.ts';
import type { Link } from './link.ts';
import type { Message } from './message.ts';
import { type MessageQueue, QOS_BITS, RETAIN_BIT } from './message-queue.ts';
import { PUBLISH } from './pending-acks.ts';
import { NO_PROPERTIES, withExpiry } from './publish-properties.ts';
import type { Receiver } from './receiver.ts';
import type { RetainedMessages } from './retained.ts';
import { AWAITS_PUBACK, AWAITS_PUBCOMP, AWAITS_PUBREC, FREE } from './window.ts';
import { writeAliased } from './write-aliased.ts';

/**
 * Sends what waits for a client, as far as it takes it: first what an earlier connection left unfinished, then retained
 * messages for new subscriptions, then the queue. Called whenever the client may have room again.
 */
export function pump(context: BrokerContext, receiver: Receiver, retained: RetainedMessages): void {
  const { link } = receiver;
  // While somebody has to prove to be present, nothing that waits is sent and nothing of it is lost.
  if (link === undefined || receiver.raised !== undefined) return;
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
  const message = window.message(packetId);
  if (message === undefined || !stillPermitted(context, receiver, message)) {
    closeDelivery(context, receiver, packetId);
    return true;
  }
  if (receiver.quota === 0) return false;
  const flags = window.flags(packetId);
  if (!writeMessage(context, receiver, link, message, flags, window.identifiers(packetId), packetId, true)) {
    closeDelivery(context, receiver, packetId);
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
  const position = queue.firstPosition;
  const { durability } = context;
  queue.shift();
  if (message.expiresAt !== 0 && message.expiresAt <= context.now()) {
    durability.drop(position, message);
    noteDrop(context, receiver, 'expired');
    return true;
  }
  if (!stillPermitted(context, receiver, message)) {
    durability.drop(position, message);
    return true;
  }
  if (qos === 0) {
    writeMessage(context, receiver, link, message, flags, identifiers, 0, false);
    return true;
  }
  const state = qos === 1 ? AWAITS_PUBACK : AWAITS_PUBREC;
  const kept = durability.send(receiver, position, message, flags, identifiers, window.next, state);
  const packetId = window.open(message, flags, identifiers, state, kept);
  receiver.quota--;
  if (qos === 2 && kept > 0 && holdBack(context, receiver, packetId)) return true;
  sendNow(context, receiver, link, packetId);
  return true;
}

/**
 * Lets a QoS 2 message wait until the store has its packet identifier: under another one, after a restart, it would be another message
 * for the client. False if nothing has to be waited for.
 */
export function holdBack(context: BrokerContext, receiver: Receiver, packetId: number): boolean {
  const { durability } = context;
  const { written, committed } = durability.store;
  if (written <= committed) return false;
  durability.later(receiver, PUBLISH, packetId, written);
  return true;
}

/** Sends a message that was held back, if the client may still have it. */
export function sendHeld(context: BrokerContext, receiver: Receiver, link: Link, packetId: number): void {
  const { window } = receiver;
  const message = window.message(packetId);
  if (message === undefined || window.state(packetId) !== AWAITS_PUBREC) return;
  if (stillPermitted(context, receiver, message)) sendNow(context, receiver, link, packetId);
  else unsend(context, receiver, packetId);
}

function sendNow(context: BrokerContext, receiver: Receiver, link: Link, packetId: number): void {
  const { window } = receiver;
  const message = window.message(packetId)!;
  const flags = window.flags(packetId);
  if (!writeMessage(context, receiver, link, message, flags, window.identifiers(packetId), packetId, false)) {
    unsend(context, receiver, packetId);
  }
}

function unsend(context: BrokerContext, receiver: Receiver, packetId: number): void {
  closeDelivery(context, receiver, packetId);
  if (receiver.quota < receiver.receiveMaximum) receiver.quota++;
}

/** The message of a packet identifier is done with. */
export function closeDelivery({ durability }: BrokerContext, { window }: Receiver, packetId: number): void {
  durability.drop(window.position(packetId), window.message(packetId));
  window.close(packetId);
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
  const { slab, version, topicAliases } = link;
  if (topicAliases === undefined) {
    writePublish(slab, version, topic, body, payloadStart, body.length, qos, retain, dup, packetId, properties);
  } else {
    writeAliased(
      link,
      topicAliases,
      receiver.maximumPacketSize,
      message.topic,
      topic,
      body,
      payloadStart,
      body.length,
      qos,
      retain,
      dup,
      packetId,
      properties,
    );
  }
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
