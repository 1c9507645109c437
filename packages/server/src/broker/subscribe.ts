import { parseSubscription, REASONS, type Refusal, resolveFilter } from '@sallyport/model';
import { ReasonCode, type Subscribe } from '@sallyport/mqtt';
import type { BrokerContext } from './context.ts';
import { refusalFor } from './denial.ts';
import type { DeviceAnswer } from './gateway-devices.ts';
import { notifyGateway } from './gateway-notice.ts';
import { limitStep } from './limit-keys.ts';
import type { Link } from './link.ts';
import { RETAIN_BIT } from './message-queue.ts';
import { identifierProperty } from './publish-properties.ts';
import { pump } from './pump.ts';
import type { Realm } from './realm.ts';
import { denialCodes } from './reason-codes.ts';
import type { Subscription } from './route.ts';
import { send, ticketProperties } from './send.ts';
import type { Session } from './session.ts';
import { askForNamed, notForGateway } from './spoken-for.ts';
import { endSubscription } from './unsubscribe.ts';

type Requested = Subscribe['subscriptions'][number];

/** What came of one line of SUBSCRIBE. */
type Granted =
  | { readonly subscription: Subscription; readonly isNew: boolean; readonly retainHandling: 0 | 1 | 2 }
  | { readonly refusal: Refusal; readonly reasonCode: number; readonly filter: string };

/** The walk of a subscribe: resolve, limits, containment in what is permitted; SUBACK; then what is retained. */
export function subscribe(context: BrokerContext, realm: Realm, session: Session, link: Link, packet: Subscribe): void {
  if (session.principal.kind !== 'gateway') {
    walk(context, realm, session, link, packet, []);
    return;
  }
  const devices = packet.subscriptions.map(({ filter: written }) => {
    const filter = fullFilter(session, written);
    return session.rights.permits('subscribe', filter) ? askForNamed(context, session, filter) : 'registered';
  });
  if (!devices.some((answer) => answer instanceof Promise)) {
    walk(context, realm, session, link, packet, devices as DeviceAnswer[]);
    return;
  }
  link.wait(Promise.all(devices.map(async (answer) => answer)), (answers) =>
    walk(context, realm, session, link, packet, answers),
  );
}

/** `devices`: for each filter of a gateway, what was answered about the device that it names. */
function walk(
  context: BrokerContext,
  realm: Realm,
  session: Session,
  link: Link,
  packet: Subscribe,
  devices: readonly DeviceAnswer[],
): void {
  if (session.storeId > 0 && context.durability.store.failing) {
    refuseUnsaved(link, packet);
    return;
  }
  const identifier = packet.properties?.subscriptionIdentifiers?.[0] ?? 0;
  const reasonCodes: number[] = [];
  const accepted: Exclude<Granted, { refusal: Refusal }>[] = [];
  let ticket: string | undefined;

  for (const [index, requested] of packet.subscriptions.entries()) {
    const answer = grant(context, realm, session, requested, identifier, devices[index] ?? 'registered');
    if (!('refusal' in answer)) {
      accepted.push(answer);
      reasonCodes.push(answer.subscription.qos);
      continue;
    }
    context.counters.subscriptionsDenied++;
    const { refusal, filter } = answer;
    ticket ??= refusal.ticket;
    const { closeCode } = denialCodes(refusal, session.watson);
    if (session.watson && session.principal.kind === 'gateway') {
      notifyGateway(context, session.principal, 'Subscribe', filter, closeCode, refusal);
      reasonCodes.push(requested.qos);
    } else if (session.watson && link.version < 5) {
      const text = `${REASONS[refusal.reason].meaning} (ticket ${refusal.ticket})`;
      link.end({ reasonCode: answer.reasonCode, closeCode, text, ticket: refusal.ticket, will: true });
      return;
    } else reasonCodes.push(link.version === 5 ? answer.reasonCode : ReasonCode.unspecifiedError);
  }

  const told = ticketProperties(link, ticket, session.maximumPacketSize);
  const answer = (): void =>
    answerSubscribe(context, realm, session, link, packet.packetId, reasonCodes, accepted, told);
  // Whoever has SUBACK gets what any other client publishes afterwards, in whichever worker.
  const answerWhenHeard = (): void => {
    if (context.team === undefined) answer();
    else context.team.whenHeard(() => session.link === link && answer());
  };
  if (session.storeId === 0) {
    answerWhenHeard();
    return;
  }
  context.durability.whenSaved((saved) => {
    if (session.link !== link) return;
    if (saved) answerWhenHeard();
    else {
      for (const { subscription, isNew } of accepted) {
        if (isNew) endSubscription(context, realm, session, subscription.written);
      }
      refuseUnsaved(link, packet);
    }
  });
}

function answerSubscribe(
  context: BrokerContext,
  realm: Realm,
  session: Session,
  link: Link,
  packetId: number,
  reasonCodes: readonly number[],
  accepted: readonly Exclude<Granted, { refusal: Refusal }>[],
  told: ReturnType<typeof ticketProperties>,
): void {
  send(link, { type: 'suback', packetId, reasonCodes, ...told });
  for (const answer of accepted) sendRetained(context, realm, session, answer);
  pump(context, session, realm.retained);
}

/** The subscriptions of a session that is kept are granted only when they are stored. */
function refuseUnsaved(link: Link, { packetId, subscriptions }: Subscribe): void {
  const reasonCode = link.version === 5 ? ReasonCode.quotaExceeded : ReasonCode.unspecifiedError;
  send(link, { type: 'suback', packetId, reasonCodes: subscriptions.map(() => reasonCode) });
}

function grant(
  context: BrokerContext,
  realm: Realm,
  session: Session,
  requested: Requested,
  identifier: number,
  device: DeviceAnswer,
): Granted {
  const written = requested.filter;
  const { limits, subscriptions } = session;
  const parsed = parseSubscription(written);
  // The older form of shared subscriptions: naming a group of one's own choice was never open to clients.
  if (!parsed.ok || written.startsWith('$SharedSubscription/')) {
    const reasonCode = parsed.ok ? ReasonCode.sharedSubscriptionsNotSupported : ReasonCode.topicFilterInvalid;
    return { refusal: refusalFor(context, session, 'subscribe', written), reasonCode, filter: written };
  }
  const { share } = parsed.value;
  const filter = session.scope === undefined ? parsed.value.filter : resolveFilter(session.scope, parsed.value.filter);
  const levels = filter.split('/').length;
  if (levels > limits.topicLevels) {
    const step = limitStep('levels of the topic filter', levels, limits.topicLevels);
    const refusal = refusalFor(context, session, 'subscribe', filter, { limit: 'topicLevels', step });
    return { refusal, reasonCode: ReasonCode.topicFilterInvalid, filter };
  }
  const earlier = subscriptions.get(written);
  if (earlier === undefined && subscriptions.size >= limits.subscriptionsPerSession) {
    const step = limitStep('subscriptions of the session', subscriptions.size + 1, limits.subscriptionsPerSession);
    const refusal = refusalFor(context, session, 'subscribe', filter, { limit: 'subscriptionsPerSession', step });
    return { refusal, reasonCode: ReasonCode.quotaExceeded, filter };
  }
  const all = realm.router.size + (realm.router.abroad?.size ?? 0);
  if (earlier === undefined && all >= limits.organisationSubscriptions) {
    const most = limits.organisationSubscriptions;
    const step = limitStep('subscriptions of the organisation', all + 1, most);
    const refusal = refusalFor(context, session, 'subscribe', filter, { limit: 'organisationSubscriptions', step });
    return { refusal, reasonCode: ReasonCode.quotaExceeded, filter };
  }
  if (!session.rights.permits('subscribe', filter)) {
    const refusal = refusalFor(context, session, 'subscribe', filter);
    return { refusal, reasonCode: denialCodes(refusal, session.watson).subscribe, filter };
  }
  if (device !== 'registered') {
    const refusal = notForGateway(context, session, 'subscribe', filter, device);
    return { refusal, reasonCode: denialCodes(refusal, session.watson).subscribe, filter };
  }

  const { qos, noLocal, retainAsPublished, retainHandling } = requested;
  const group = share ?? session.share;
  const subscription: Subscription = {
    receiver: session,
    written,
    filter,
    share: group,
    qos,
    noLocal,
    retainAsPublished,
    identifier,
  };
  if (earlier === undefined) context.counters.subscriptionsNow++;
  // In this order, so that at no moment other workers take the filter for one that nobody wants.
  realm.router.add(subscription);
  if (earlier !== undefined) realm.router.remove(earlier);
  session.keepSubscription(subscription);
  context.durability.subscribed(session, subscription);
  return { subscription, isNew: earlier === undefined, retainHandling };
}

/** The filter in full, without its group; empty if it is none. */
function fullFilter({ scope }: Session, written: string): string {
  const parsed = parseSubscription(written);
  if (!parsed.ok) return '';
  return scope === undefined ? parsed.value.filter : resolveFilter(scope, parsed.value.filter);
}

/** MQTT 5 section 3.8.3.1, [MQTT-3.3.1-9] to [MQTT-3.3.1-11]; shared subscriptions get nothing that is retained. */
function sendRetained(
  context: BrokerContext,
  realm: Realm,
  session: Session,
  { subscription, isNew, retainHandling }: Exclude<Granted, { refusal: Refusal }>,
): void {
  if (retainHandling === 2 || (retainHandling === 1 && !isNew) || subscription.share !== undefined) return;
  const identifiers = identifierProperty(subscription.identifier);
  for (const message of realm.retained.matching(subscription.filter, context.now())) {
    // A client that subscribes again and again without reading gets no more than one copy of the store to wait for.
    if (session.backlog.length >= session.limits.retainedMessages) return;
    const qos = Math.min(message.qos, subscription.qos);
    session.backlog.push(message, qos | RETAIN_BIT, identifiers, 0);
    // One SUBSCRIBE can ask for the whole store: who does so again and again pays for what it gets.
    session.account.traffic.messages -= 0.1;
  }
}
