import type { BrokerContext } from './context.ts';
import type { Ending } from './ending.ts';
import type { Realm } from './realm.ts';
import type { Session } from './session.ts';
import { Alarm } from './timer-wheel.ts';
import { endSubscription } from './unsubscribe.ts';
import { sendWill } from './will.ts';

/** The client has gone: its will is sent or scheduled, its session ends or waits for it (MQTT 5 section 4.1, 3.1.2.5). */
export function depart(context: BrokerContext, realm: Realm, session: Session, ending: Ending): void {
  const { wheel } = context;
  session.link = undefined;
  realm.router.abroad?.moved(session.subscriptions.values(), -1);
  realm.connected--;
  session.lastLeft = context.now();
  // The rest of what was on its way is read from the window when the client comes back.
  session.sendNothing();
  session.pending?.clear();
  while (session.backlog.length > 0) session.backlog.shift();
  const ends = session.expiry === 0 || ending.forget === true;

  if (!ending.will) session.will = undefined;
  if (session.will !== undefined) {
    // The session's end is the latest moment for the will [MQTT-3.1.3-9].
    if (ends || session.will.delay === 0) sendWill(context, session);
    else {
      session.willTimer ??= new Alarm();
      session.willTimer.ring = () => {
        sendWill(context, session);
        context.durability.save(session);
      };
      wheel.schedule(session.willTimer, session.will.delay * 1000);
    }
  }
  if (ends) {
    removeSession(context, realm, session);
    return;
  }
  context.team?.office.away(session.organisation, session.clientId);
  const wasKept = session.storeId > 0;
  context.durability.save(session);
  if (!wasKept) realm.router.abroad?.kept(session.subscriptions.values());
  session.expiryTimer ??= new Alarm();
  session.expiryTimer.ring = () => removeSession(context, realm, session);
  wheel.schedule(session.expiryTimer, session.expiry * 1000);
}

/** Ends a session whose client is away, for good. */
export function removeSession(context: BrokerContext, realm: Realm, session: Session): void {
  if (realm.sessions.get(session.clientId) !== session) return;
  realm.sessions.delete(session.clientId);
  context.team?.office.gone(session.organisation, session.clientId);
  context.counters.sessionsNow--;
  context.counters.queuedNow -= session.queue.length;
  context.wheel.cancel(session.expiryTimer);
  context.durability.forget(session);
  context.wheel.cancel(session.groundsTimer);
  context.accounts.leave(session.account, session, context.now());
  for (const written of [...session.subscriptions.keys()]) endSubscription(context, realm, session, written);
  sendWill(context, session);
  session.topics.clear();
  if (realm.empty) context.realms.delete(realm.organisation);
}
