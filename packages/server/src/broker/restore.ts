import type { Admission } from './arrival.ts';
import { type BrokerContext, realmOf } from './context.ts';
import { removeSession } from './departure.ts';
import type { Message } from './message.ts';
import { enrol, reconsider } from './reconsider.ts';
import { Session } from './session.ts';
import { sessionLimits } from './session-limits.ts';
import type { SessionStore, StoredSession, StoredSubscription, StoredWaiting } from './session-store.ts';
import { Alarm } from './timer-wheel.ts';
import { sendWill } from './will.ts';
import { AWAITS_PUBCOMP, FREE } from './window.ts';

/** Puts a stored session on the ground on which it stood; undefined if nobody may stand there any more. */
export type Readmit = (stored: StoredSession) => Admission | undefined | Promise<Admission | undefined>;

/** Sessions that are judged at once: an authorization server that is asked about each may take its time. */
const AT_ONCE = 32;

/** What was read of one session. */
interface Found {
  readonly stored: StoredSession;
  readonly subscriptions: StoredSubscription[];
  readonly received: number[];
  readonly waiting: StoredWaiting[];
}

/**
 * Brings back what an earlier process has left: what is retained, sessions, and what waits in them. Each session is judged anew before
 * anybody can use it. Expired ones, and what refers to nothing, are taken off the disk.
 */
export async function restore(context: BrokerContext, store: SessionStore, readmit: Readmit): Promise<void> {
  await take(context, store, readmit);
}

/** Takes over the `wanted` sessions of a worker that has died, as {@link restore} does for all; everything else in the store is left alone. */
export async function adopt(
  context: BrokerContext,
  store: SessionStore,
  readmit: Readmit,
  wanted: (stored: StoredSession) => boolean,
): Promise<void> {
  await take(context, store, readmit, wanted);
}

async function take(
  context: BrokerContext,
  store: SessionStore,
  readmit: Readmit,
  wanted?: (stored: StoredSession) => boolean,
): Promise<void> {
  const { durability, counters } = context;
  const sessions = new Map<number, Found>();
  const messages = new Map<number, Message>();
  const orphans: number[] = [];
  let lastPosition = 0;
  let lastMessage = 0;
  let lastSession = 0;
  const stale: [organisation: string, topic: string][] = [];
  await store.load({
    session(stored) {
      if (wanted?.(stored) !== false) sessions.set(stored.id, { stored, subscriptions: [], received: [], waiting: [] });
      lastSession = Math.max(lastSession, stored.id);
    },
    subscription: (id, subscription) => sessions.get(id)?.subscriptions.push(subscription),
    received: (id, packetId) => sessions.get(id)?.received.push(packetId),
    message(id, message) {
      messages.set(id, message);
      message.storeId = id;
      lastMessage = Math.max(lastMessage, id);
    },
    waiting(waiting) {
      lastPosition = Math.max(lastPosition, waiting.position);
      const found = sessions.get(waiting.session);
      if (found === undefined || (waiting.message !== 0 && !messages.has(waiting.message)))
        orphans.push(waiting.position);
      else {
        found.waiting.push(waiting);
        const message = messages.get(waiting.message);
        if (message !== undefined) message.references++;
      }
    },
    retained(organisation, message) {
      if (wanted !== undefined) return;
      const { retained } = realmOf(context, organisation);
      const expired = message.expiresAt !== 0 && message.expiresAt <= context.now();
      counters.retainedNow -= retained.size;
      counters.retainedBytesNow -= retained.bytes;
      if (expired || !retained.set(message)) stale.push([organisation, message.topic]);
      counters.retainedNow += retained.size;
      counters.retainedBytesNow += retained.bytes;
    },
  });
  durability.skip({ sessions: lastSession, messages: lastMessage, positions: lastPosition });
  // While others write, what belongs to nobody here is theirs.
  if (wanted === undefined) cleanUp();
  const wills: (() => void)[] = [];
  const restored = [...sessions.values()];
  while (restored.length > 0) {
    const several = restored.splice(0, AT_ONCE).map((found) => restoreSession(context, found, messages, readmit));
    wills.push(...(await Promise.all(several)));
  }
  // Only now is everybody there who is to get them.
  for (const sendOrAwait of wills) sendOrAwait();

  function cleanUp(): void {
    for (const position of orphans) store.removeWaiting(position);
    for (const [id, { references }] of messages) if (references === 0) store.removeMessage(id);
    for (const [organisation, topic] of stale) store.removeRetained(organisation, topic);
  }
}

async function restoreSession(
  context: BrokerContext,
  found: Found,
  messages: ReadonlyMap<number, Message>,
  readmit: Readmit,
): Promise<() => void> {
  const { stored } = found;
  const session = new Session(stored.organisation, stored.clientId);
  session.storeId = stored.id;
  refill(session, found, messages);
  const admission = await readmit(stored);
  const realm = realmOf(context, stored.organisation);
  const now = context.now();
  // Who was connected when the process ended has left at this moment.
  const leftAt = stored.leftAt === 0 ? now : stored.leftAt;
  const left = leftAt + stored.expiry * 1000 - now;
  if (admission === undefined || left <= 0) {
    context.durability.forget(session);
    if (realm.empty) context.realms.delete(realm.organisation);
    if (admission === undefined) return () => {};
    revive(session, stored, admission, context);
    return () => sendWill(context, session);
  }
  revive(session, stored, admission, context);
  session.lastLeft = leftAt;
  realm.sessions.set(session.clientId, session);
  context.team?.office.keep(session.organisation, session.clientId, session.principalName);
  context.counters.sessionsNow++;
  context.counters.queuedNow += session.queue.length;
  for (const subscription of found.subscriptions) {
    const kept = { ...subscription, share: subscription.share, receiver: session };
    session.keepSubscription(kept);
    realm.router.add(kept);
    context.counters.subscriptionsNow++;
  }
  enrol(context, realm, session);
  session.expiryTimer ??= new Alarm();
  session.expiryTimer.ring = () => removeSession(context, realm, session);
  context.wheel.schedule(session.expiryTimer, left);
  // A registry that cannot be read must end the start, not the sessions.
  await context.regrounds(session.grounds);
  await reconsider(context, realm, session);
  return () => {
    if (realm.sessions.get(session.clientId) === session) awaitWill(context, session, leftAt);
  };
}

/** Sends the will of a session that has died with its worker and of which nothing else is kept. */
export async function sendLostWill(context: BrokerContext, stored: StoredSession, readmit: Readmit): Promise<void> {
  const admission = await readmit(stored);
  if (admission === undefined) return;
  const session = new Session(stored.organisation, stored.clientId);
  revive(session, stored, admission, context);
  sendWill(context, session);
}

/** Puts a session on its feet again, but for what waits in it. */
function revive(session: Session, stored: StoredSession, admission: Admission, { limits }: BrokerContext): void {
  session.admit(admission, stored.version, sessionLimits(limits, admission.limits));
  const { will } = stored;
  session.will = will && { message: will.message, delay: will.delay, expiry: will.expiry };
  session.share = stored.share;
  session.expiry = stored.expiry;
  session.connectedAt = stored.connectedAt;
  session.lastFacts = stored.facts;
  session.lastAddress = stored.facts.remoteAddress;
  session.lastTransport = stored.facts.transport;
}

function refill(session: Session, { received, waiting }: Found, messages: ReadonlyMap<number, Message>): void {
  for (const packetId of received) session.hold(packetId);
  const released: StoredWaiting[] = [];
  for (const one of waiting) {
    const message = messages.get(one.message);
    if (one.state === AWAITS_PUBCOMP) released.push(one);
    else if (message === undefined) continue;
    else if (one.state === FREE) session.queue.push(message, one.flags, one.identifiers, one.position);
    else {
      session.window.restore(one.packetId, message, one.flags, one.identifiers, one.state, one.position);
    }
  }
  // As in a window that was never read from disk: what was released later comes later.
  for (const { packetId, flags, state, position } of released) {
    session.window.restore(packetId, undefined, flags, undefined, state, position);
  }
}

function awaitWill(context: BrokerContext, session: Session, leftAt: number): void {
  const { will } = session;
  if (will === undefined) {
    context.durability.save(session);
    return;
  }
  const due = leftAt + will.delay * 1000 - context.now();
  const send = () => {
    sendWill(context, session);
    context.durability.save(session);
  };
  if (due <= 0) send();
  else {
    session.willTimer ??= new Alarm();
    session.willTimer.ring = send;
    context.wheel.schedule(session.willTimer, due);
    context.durability.save(session);
  }
}
