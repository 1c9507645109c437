import { patchPacketId, publishSize, type QoS, writePublish } from '@sallyport/mqtt';
import type { BrokerContext } from './context.ts';
import { noteDrop } from './drops.ts';
import { enqueue } from './enqueue.ts';
import type { Link } from './link.ts';
import { RETAIN_BIT } from './message-queue.ts';
import type { Passage } from './passage.ts';
import { holdBack } from './pump.ts';
import type { Receiver } from './receiver.ts';
import type { GroupTargets, Target } from './route.ts';
import { AWAITS_PUBACK, AWAITS_PUBREC } from './window.ts';
import { writeAliased } from './write-aliased.ts';

/** Hands the message in passage to everybody on its route, each within the bounds of the receiver. */
export function deliver(context: BrokerContext, passage: Passage): void {
  const { groups } = passage.route;
  deliverToAll(context, passage);
  for (let index = 0; index < groups.length; index++) deliverToOne(context, passage, groups[index]!);
}

/** As {@link deliver}, but for the groups that share it. */
export function deliverToAll(context: BrokerContext, passage: Passage): void {
  const { route, sender, qos } = passage;
  const { targets } = route;
  for (let index = 0; index < targets.length; index++) {
    const target = targets[index]!;
    const echo = target.receiver === sender;
    if (echo && target.echoQos < 0) continue;
    const granted = lower(echo ? (target.echoQos as QoS) : target.qos, qos);
    const identifiers = echo ? target.echoIdentifiers : target.identifiers;
    if (mayReceive(context, target, route.topic)) deliverTo(context, passage, target, granted, identifiers);
    else if (target.receiver.raised !== undefined) keepFor(context, passage, target, granted, identifiers);
  }
}

/** The receive permission of a target, decided anew only when it may have changed: a revocation bites here. */
function mayReceive(context: BrokerContext, target: Target, topic: string): boolean {
  const { receiver } = target;
  const { rights } = receiver;
  const { version } = rights;
  if (target.version === version && target.epoch === receiver.epoch) {
    if (!target.allowed && receiver.raised === undefined) context.counters.deliveriesDenied++;
    return target.allowed;
  }
  target.allowed = rights.permits('receive', topic);
  target.version = version;
  target.epoch = receiver.epoch;
  if (!target.allowed && receiver.raised?.permits('receive', topic) !== true) {
    context.counters.deliveriesDenied++;
    context.events.emit({ type: 'delivery.denied', refusal: rights.refuse('receive', topic) });
  }
  return target.allowed;
}

/** What a receiver may have once its owner has proven to be present waits for it, as for an absent client: QoS 0 does not wait. */
function keepFor(
  context: BrokerContext,
  passage: Passage,
  { receiver, retainAsPublished }: Target,
  qos: QoS,
  identifiers: Buffer | undefined,
): void {
  if (qos === 0 || receiver.raised?.permits('receive', passage.route.topic) !== true) return;
  const flags = passage.retain && retainAsPublished ? qos | RETAIN_BIT : qos;
  enqueue(context, receiver, passage.own(), flags, identifiers);
}

/**
 * Members of a group take turns; one that is away or slow is passed over while another one can take the message. False if none of them may
 * have it.
 */
export function deliverToOne(context: BrokerContext, passage: Passage, { group, targets }: GroupTargets): boolean {
  const count = targets.length;
  const first = group.turn++;
  let away: Target | undefined;
  for (let step = 0; step < count; step++) {
    const target = targets[(first + step) % count]!;
    if (target.echoQos < 0 && target.receiver === passage.sender) continue;
    if (!mayReceive(context, target, passage.route.topic)) continue;
    const { link } = target.receiver;
    if (link !== undefined && !link.congested && target.receiver.upToDate) {
      deliverTo(context, passage, target, lower(target.qos, passage.qos), target.identifiers);
      return true;
    }
    if (away === undefined || (away.receiver.link === undefined && link !== undefined)) away = target;
  }
  if (away === undefined) return false;
  deliverTo(context, passage, away, lower(away.qos, passage.qos), away.identifiers);
  return true;
}

function lower(granted: QoS, sent: QoS): QoS {
  return Math.min(granted, sent) as QoS;
}

function deliverTo(
  context: BrokerContext,
  passage: Passage,
  target: Target,
  qos: QoS,
  identifiers: Buffer | undefined,
): void {
  const { receiver } = target;
  const { link } = receiver;
  const retain = passage.retain && target.retainAsPublished;
  if (qos === 0) {
    if (link === undefined) return;
    if (link.congested) noteDrop(context, receiver, 'slow_peer');
    else write(context, passage, link, target, 0, retain, 0, identifiers);
    return;
  }
  const flags = retain ? qos | RETAIN_BIT : qos;
  const { window } = receiver;
  const now = link !== undefined && receiver.quota > 0 && !link.congested && receiver.upToDate;
  if (!now || window.size >= receiver.limits.inflight) {
    enqueue(context, receiver, passage.own(), flags, identifiers);
    return;
  }
  if (tooLarge(passage, receiver, target, qos, identifiers)) {
    noteDrop(context, receiver, 'too_large');
    return;
  }
  receiver.quota--;
  const state = qos === 1 ? AWAITS_PUBACK : AWAITS_PUBREC;
  // What ends with the connection is never sent again, so nobody has to keep it.
  const message = receiver.storeId === 0 ? undefined : passage.own();
  const position =
    message === undefined ? 0 : context.durability.keep(receiver, message, flags, identifiers, window.next, state);
  const packetId = window.open(message, flags, identifiers, state, position);
  if (qos === 2 && position > 0 && holdBack(context, receiver, packetId)) return;
  write(context, passage, link, target, qos, retain, packetId, identifiers);
}

function tooLarge(
  passage: Passage,
  receiver: Receiver,
  target: Target,
  qos: QoS,
  identifiers: Buffer | undefined,
): boolean {
  if (receiver.maximumPacketSize === Number.POSITIVE_INFINITY) return false;
  const properties = passage.properties.length + (identifiers === undefined ? 0 : identifiers.length);
  const payload = passage.payloadEnd - passage.payloadStart;
  return publishSize(5, target.presented.length, payload, qos, properties) > receiver.maximumPacketSize;
}

function write(
  context: BrokerContext,
  passage: Passage,
  link: Link,
  target: Target,
  qos: QoS,
  retain: boolean,
  packetId: number,
  identifiers: Buffer | undefined,
): void {
  const { slab, version } = link;
  const { route } = passage;
  if (qos === 0 && tooLarge(passage, target.receiver, target, 0, identifiers)) {
    noteDrop(context, target.receiver, 'too_large');
    return;
  }
  context.counters.messagesSent++;
  link.messagesOut++;
  const { topicAliases } = link;
  if (
    qos === 0 &&
    passage.wireEnd > 0 &&
    passage.wireFive === (version === 5) &&
    passage.wireRetain === retain &&
    target.presented === route.topicBytes &&
    identifiers === undefined &&
    topicAliases === undefined
  ) {
    const { wire } = passage;
    slab.append(wire, 0, wire.length);
    link.touch();
    return;
  }
  if (
    topicAliases !== undefined ||
    identifiers !== undefined ||
    target.presented !== route.topicBytes ||
    route.targets.length < 2
  ) {
    const properties =
      identifiers === undefined || version < 5 ? passage.properties : Buffer.concat([passage.properties, identifiers]);
    if (topicAliases !== undefined) {
      const { payload, payloadStart, payloadEnd } = passage;
      const { presented, receiver } = target;
      const most = receiver.maximumPacketSize;
      writeAliased(
        link,
        topicAliases,
        most,
        route.topic,
        presented,
        payload,
        payloadStart,
        payloadEnd,
        qos,
        retain,
        false,
        packetId,
        properties,
      );
      link.touch();
      return;
    }
    writePublish(
      slab,
      version,
      target.presented,
      passage.payload,
      passage.payloadStart,
      passage.payloadEnd,
      qos,
      retain,
      false,
      packetId,
      properties,
    );
    link.touch();
    return;
  }
  const kind = (version === 5 ? 6 : 0) + qos * 2 + (retain ? 1 : 0);
  const copy = passage.copyBytes(kind);
  if (copy !== undefined) {
    const at = slab.append(copy, 0, copy.length);
    if (qos > 0) patchPacketId(slab.bytes, at + passage.copyId(kind), packetId);
  } else {
    const packetIdAt = writePublish(
      slab,
      version,
      target.presented,
      passage.payload,
      passage.payloadStart,
      passage.payloadEnd,
      qos,
      retain,
      false,
      packetId,
      passage.properties,
    );
    const end = slab.reserve(0);
    const payload = passage.payloadEnd - passage.payloadStart;
    const size = publishSize(version, target.presented.length, payload, qos, passage.properties.length);
    passage.remember(kind, slab.bytes, end - size, end, packetIdAt);
  }
  link.touch();
}
