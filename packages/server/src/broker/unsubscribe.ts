import { ReasonCode, type Unsubscribe } from '@sallyport/mqtt';
import type { BrokerContext } from './context.ts';
import type { Link } from './link.ts';
import type { Realm } from './realm.ts';
import { send } from './send.ts';
import type { Session } from './session.ts';

/** Ends subscriptions by the filters as the client wrote them [MQTT-3.10.4-1]. */
export function unsubscribe(
  context: BrokerContext,
  realm: Realm,
  session: Session,
  link: Link,
  { packetId, filters }: Unsubscribe,
): void {
  const reasonCodes = filters.map((written) =>
    endSubscription(context, realm, session, written) ? ReasonCode.success : ReasonCode.noSubscriptionExisted,
  );
  const answer = { type: 'unsuback', packetId, reasonCodes: link.version === 5 ? reasonCodes : [] } as const;
  if (session.storeId === 0) send(link, answer);
  else context.durability.whenSaved(() => session.link === link && send(link, answer));
}

/** False if there was none. */
export function endSubscription(context: BrokerContext, realm: Realm, session: Session, written: string): boolean {
  const withheld = session.withheld?.delete(written) === true;
  const live = leave(context, realm, session, written);
  if (withheld || live) context.durability.unsubscribed(session, written);
  return withheld || live;
}

/**
 * Ends the subscriptions that the session's rights do not cover any more, and tells of each. What only a containment has ended is kept, on
 * disk too, and taken up again as soon as it is covered.
 */
export function endUncovered(context: BrokerContext, realm: Realm, session: Session): void {
  takeUp(context, realm, session);
  for (const subscription of [...session.subscriptions.values()]) {
    const { written, filter } = subscription;
    if (session.rights.permits('subscribe', filter) || session.raised?.permits('subscribe', filter)) continue;
    if (isWithheld(session, filter)) {
      leave(context, realm, session, written);
      session.withheld ??= new Map();
      session.withheld.set(written, subscription);
    } else endSubscription(context, realm, session, written);
    context.counters.subscriptionsDenied++;
    context.events.emit({ type: 'subscription.denied', refusal: session.rights.refuse('subscribe', filter) });
  }
}

/** Takes up what was withheld, if it is permitted now and there is room for it; what would not be permitted in any case is gone. */
function takeUp(context: BrokerContext, realm: Realm, session: Session): void {
  for (const [written, subscription] of session.withheld ?? []) {
    const { filter } = subscription;
    if (isWithheld(session, filter)) continue;
    const { subscriptionsPerSession, organisationSubscriptions } = session.limits;
    const hasRoom =
      session.subscriptions.size < subscriptionsPerSession && realm.router.size < organisationSubscriptions;
    if (!hasRoom || !session.rights.permits('subscribe', filter)) {
      endSubscription(context, realm, session, written);
      continue;
    }
    session.withheld?.delete(written);
    session.keepSubscription(subscription);
    realm.router.add(subscription);
    context.counters.subscriptionsNow++;
  }
}

function isWithheld({ rights, raised }: Session, filter: string): boolean {
  return rights.withholds?.('subscribe', filter) === true || raised?.withholds?.('subscribe', filter) === true;
}

function leave(context: BrokerContext, realm: Realm, session: Session, written: string): boolean {
  const subscription = session.subscriptions.get(written);
  if (subscription === undefined) return false;
  session.dropSubscription(written);
  realm.router.remove(subscription);
  context.counters.subscriptionsNow--;
  return true;
}
