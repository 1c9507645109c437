import { resolveTopic } from '@sallyport/model';
import { type ProtocolVersion, type PublishFrame, publishSize, ReasonCode, writeAck } from '@sallyport/mqtt';
import { attended, overhear } from './attendant.ts';
import type { BrokerContext } from './context.ts';
import { denyPublish, refusalFor } from './denial.ts';
import { dispatch } from './dispatch.ts';
import { CLOSE_CODES } from './ending.ts';
import type { DeviceAnswer } from './gateway-devices.ts';
import { limitStep } from './limit-keys.ts';
import type { Link } from './link.ts';
import { needsStore } from './needs-store.ts';
import { demandOn, formProblem, type PayloadDemands } from './payload-demand.ts';
import { hasItsFormat, refuseFormat } from './payload-format.ts';
import { PUBACK, PUBREC, UNHEARD_PUBACK, UNHEARD_PUBREC } from './pending-acks.ts';
import { forwardedProperties } from './publish-properties.ts';
import type { Realm } from './realm.ts';
import { exceedsReceiveMaximum } from './receive-maximum.ts';
import { refuseForm } from './refuse-form.ts';
import type { Session } from './session.ts';
import { askForNamed, notForGateway } from './spoken-for.ts';
import { endForStore } from './store-answers.ts';
import { exceedsTopicBounds } from './topic-bounds.ts';
import type { TopicEntry } from './topic-cache.ts';

/** The connection of a client that publishes. */
export interface PublisherLink extends Link {
  /** PUBLISH packets read from the peer. */
  messagesIn: number;
  /** What each topic alias of this connection stands for. */
  aliases: (TopicEntry | undefined)[] | undefined;
}

/**
 * The walk of a publish: resolve, decide on the resolved topic only, check limits, deliver, and acknowledge after the
 * message is owned by those who get it.
 */
export function publish(
  context: BrokerContext,
  realm: Realm,
  session: Session,
  link: PublisherLink,
  frame: PublishFrame,
): void {
  context.counters.messagesReceived++;
  link.messagesIn++;
  const entry = frame.topicAlias === 0 ? entryOf(context, session, frame) : aliasedEntry(context, session, link, frame);
  if (entry !== undefined) walk(context, realm, session, link, frame, entry);
}

/** `device`: what was answered about the device that a gateway speaks for, if it had to be waited for. */
function walk(
  context: BrokerContext,
  realm: Realm,
  session: Session,
  link: PublisherLink,
  frame: PublishFrame,
  entry: TopicEntry,
  device?: DeviceAnswer,
): void {
  const { bytes, qos, packetId } = frame;
  const { durability } = context;
  const { version } = session.rights;
  if (entry.version !== version || entry.epoch !== session.epoch) decide(realm, session, entry, version);
  if (!entry.allowed) {
    const { topicLevels } = session.limits;
    const step = entry.tooDeep ? limitStep('topic levels', entry.topic.split('/').length, topicLevels) : undefined;
    const met = step === undefined ? undefined : ({ limit: 'topicLevels', step } as const);
    const refusal = refusalFor(context, session, 'publish', entry.topic, met);
    denyPublish(context, session, link, entry.topic, qos, packetId, refusal);
    return;
  }
  const answer = device ?? askForNamed(context, session, entry.topic);
  if (answer instanceof Promise) {
    // The frame is used again for the next packet; its bytes stay.
    const kept = { ...frame };
    link.wait(answer, (answered) => walk(context, realm, session, link, kept, entry, answered));
    return;
  }
  if (answer !== 'registered') {
    const refusal = notForGateway(context, session, 'publish', entry.topic, answer);
    denyPublish(context, session, link, entry.topic, qos, packetId, refusal);
    return;
  }
  if (session.watson && isTooLarge(session, frame)) {
    const text = `The payload is larger than ${session.limits.watsonPayload} bytes.`;
    const closeCode = CLOSE_CODES.messageTooLarge;
    const violation = { reason: 'packet_too_large', limit: 'watsonPayload' } as const;
    link.end({ reasonCode: ReasonCode.packetTooLarge, closeCode, text, will: true, violation });
    return;
  }
  if (frame.payloadFormatIndicator !== 0 && !hasItsFormat(frame)) {
    refuseFormat(context, session, link, frame);
    return;
  }
  const { payloadDemands } = context;
  // What a device tells the server itself is not sealed from it.
  const demands = entry.attendant === undefined ? payloadDemands : undefined;
  if (demands !== undefined && hasWrongForm(context, demands, session, link, frame, entry)) return;
  if (qos === 2 && session.received?.has(packetId)) {
    // Sent again because our PUBREC was lost: it was delivered the first time [MQTT-4.3.3-10].
    const sequence = session.storeId === 0 ? 0 : durability.store.written;
    durability.acknowledge(session, link, PUBREC, packetId, sequence);
    return;
  }
  if (qos > 0 && exceedsReceiveMaximum(context, session, link, qos)) return;
  if (entry.attendant !== undefined && attended(context, session, link, frame, entry.topic, entry.attendant)) return;
  if (entry.overhears !== undefined) overhear(session, frame, entry.overhears);

  if (durability.store.failing && qos > 0 && needsStore(realm, session, entry.route!, frame)) {
    if (link.version < 5) endForStore(link);
    else {
      writeAck(link.slab, qos === 1 ? 'puback' : 'pubrec', packetId, ReasonCode.quotaExceeded, link.version);
      link.touch();
    }
    return;
  }

  const { passage } = context;
  const before = durability.store.written;
  const expiry = frame.messageExpiryInterval;
  const expiresAt = expiry < 0 ? 0 : context.now() + expiry * 1000;
  const forwarded = forwardedProperties(bytes, frame.propertiesStart, frame.propertiesEnd);
  const retain = frame.retain && !session.watson;
  let heard = true;
  passage.busy = true;
  try {
    const { payloadStart, payloadEnd } = frame;
    passage.begin(entry.route!, session, qos, retain, bytes, payloadStart, payloadEnd, forwarded, expiry, expiresAt);
    if (qos === 0 && entry.verbatim && canGoOn(frame, link.version))
      passage.asItCame(frame.start, frame.end, link.version === 5, frame.retain);
    heard = dispatch(context, realm, passage);
  } finally {
    passage.finish();
  }

  const { team } = context;
  if (team?.slow !== undefined) link.wait(team.relieved(), () => {});
  if (qos === 0) return;
  if (qos === 2) durability.hold(session, packetId);
  const { written } = durability.store;
  const kind = qos === 1 ? (heard ? PUBACK : UNHEARD_PUBACK) : heard ? PUBREC : UNHEARD_PUBREC;
  const ticket = team === undefined ? 0 : team.ticket;
  if (ticket > 0) team!.tickets.hold(ticket, session);
  durability.acknowledge(session, link, kind, packetId, written === before ? 0 : written, ticket);
}

/** Whether the bytes of a PUBLISH are those that we would write: no alias, no properties, its length in the fewest bytes. */
function canGoOn(frame: PublishFrame, version: ProtocolVersion): boolean {
  if (frame.topicAlias !== 0 || frame.propertiesStart !== frame.propertiesEnd) return false;
  const { topicStart, topicEnd, payloadStart, payloadEnd } = frame;
  return frame.end - frame.start === publishSize(version, topicEnd - topicStart, payloadEnd - payloadStart, 0);
}

/** Whether the payload is not what the device type demands; then it has been refused. */
function hasWrongForm(
  context: BrokerContext,
  demands: PayloadDemands,
  session: Session,
  link: PublisherLink,
  { bytes, payloadStart, payloadEnd, qos, packetId }: PublishFrame,
  entry: TopicEntry,
): boolean {
  if (entry.demandVersion !== demands.version) {
    entry.demand = demandOn(demands, session, entry.topic);
    entry.demandVersion = demands.version;
  }
  if (entry.demand === undefined) return false;
  const problem = formProblem(entry.demand, bytes.subarray(payloadStart, payloadEnd));
  if (problem === undefined) return false;
  const refusal = refuseForm(context, session, 'publish', entry.topic, entry.demand, problem);
  denyPublish(context, session, link, entry.topic, qos, packetId, refusal);
  return true;
}

function entryOf(context: BrokerContext, session: Session, frame: PublishFrame): TopicEntry {
  const { bytes, topicStart, topicEnd } = frame;
  const known = session.topics.find(bytes, topicStart, topicEnd);
  if (known !== undefined) return known;
  const written = bytes.toString('utf8', topicStart, topicEnd);
  const topic = session.scope === undefined ? written : resolveTopic(session.scope, written);
  const entry: TopicEntry = {
    key: Buffer.from(bytes.subarray(topicStart, topicEnd)),
    topic,
    verbatim: topic === written,
    allowed: false,
    tooDeep: exceedsTopicBounds(topic, session.limits),
    version: Number.NaN,
    epoch: -1,
    demand: undefined,
    demandVersion: -1,
    route: undefined,
    attendant: context.attend?.(topic, session.principal),
    overhears: context.overhear?.(topic),
  };
  session.topics.add(entry);
  return entry;
}

/** The topic behind an alias, or the alias of a topic that is set with this packet (MQTT 5 section 3.3.2.3.4). */
function aliasedEntry(
  context: BrokerContext,
  session: Session,
  link: PublisherLink,
  frame: PublishFrame,
): TopicEntry | undefined {
  const { topicAlias } = frame;
  if (topicAlias > session.limits.topicAliasMaximum) {
    const text = `The topic alias ${topicAlias} is above the maximum of ${session.limits.topicAliasMaximum}.`;
    return aliasViolation(link, ReasonCode.topicAliasInvalid, text, 'MQTT-3.3.2-9');
  }
  if (frame.topicStart === frame.topicEnd) {
    const entry = link.aliases?.[topicAlias];
    return entry ?? aliasViolation(link, ReasonCode.protocolError, `The topic alias ${topicAlias} was never set.`);
  }
  const entry = entryOf(context, session, frame);
  link.aliases ??= [];
  link.aliases[topicAlias] = entry;
  return entry;
}

function aliasViolation(link: PublisherLink, reasonCode: number, text: string, statement?: string): undefined {
  const violation = { reason: 'protocol_error', ...(statement === undefined ? {} : { statement }) } as const;
  link.end({ reasonCode, closeCode: CLOSE_CODES.closedByServer, text, will: true, violation });
  return undefined;
}

function decide(realm: Realm, session: Session, entry: TopicEntry, version: number): void {
  entry.allowed = !entry.tooDeep && session.rights.permits('publish', entry.topic);
  entry.version = version;
  entry.epoch = session.epoch;
  if (entry.allowed) entry.route ??= realm.router.route(entry.topic);
}

/** Watson's own measure, so that its clients meet the bound where they are used to it (watson-iot.md section 2.5). */
function isTooLarge({ limits }: Session, frame: PublishFrame): boolean {
  const topicExcess = Math.max(0, frame.topicEnd - frame.topicStart - 200);
  return frame.payloadEnd - frame.payloadStart + topicExcess > limits.watsonPayload;
}
