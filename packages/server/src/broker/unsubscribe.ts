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
  const subscription = session.subscriptions.get(written);
  if (subscription === undefined) return false;
  session.subscriptions.delete(written);
  realm.router.remove(subscription);
  context.counters.subscriptionsNow--;
  context.durability.unsubscribed(session, written);
  return true;
}

/** Ends the subscriptions that the session's rights do not cover any more, and tells of each. */
export function endUncovered(context: BrokerContext, realm: Realm, session: Session): void {
  for (const { written, filter } of [...session.subscriptions.values()]) {
    if (session.rights.permits('subscribe', filter) || session.raised?.permits('subscribe', filter)) continue;
    endSubscription(context, realm, session, written);
    context.counters.subscriptionsDenied++;
    context.events.emit({ type: 'subscription.denied', refusal: session.rights.refuse('subscribe', filter) });
  }
}
