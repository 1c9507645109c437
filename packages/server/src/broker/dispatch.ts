import { type BrokerContext, realmOf } from './context.ts';
import { deliver } from './delivery.ts';
import { dispatchEverywhere } from './forward.ts';
import { keepRetained } from './keep-retained.ts';
import type { Message } from './message.ts';
import type { Passage } from './passage.ts';
import type { Realm } from './realm.ts';
import type { Receiver } from './receiver.ts';

/** The common end of every message's way: kept if it is to be kept, then to all who are entitled. False if nobody has subscribed to it. */
export function dispatch(context: BrokerContext, realm: Realm, passage: Passage): boolean {
  const { route } = passage;
  if (route.version !== realm.router.version) realm.router.refresh(route);
  if (passage.retain) retain(context, realm, passage);
  if (context.team !== undefined) return dispatchEverywhere(context, context.team, realm, passage);
  if (route.targets.length === 0 && route.groups.length === 0) return false;
  deliver(context, passage);
  return true;
}

function retain(context: BrokerContext, realm: Realm, passage: Passage): void {
  const message = passage.own();
  const isEmpty = passage.payloadStart === passage.payloadEnd;
  if (context.team !== undefined) context.team.retained.stamp(realm.organisation, message, isEmpty);
  keepRetained(context, realm, message, isEmpty, !message.volatile);
}

/**
 * Sends a message that the server owns: a will, a notice, one of the server itself. In the midst of another delivery it
 * waits until that one is through.
 */
export function dispatchOwned(context: BrokerContext, organisation: string, message: Message, sender?: Receiver): void {
  const { passage, flusher } = context;
  if (passage.busy) {
    flusher.later(() => dispatchOwned(context, organisation, message, sender));
    return;
  }
  const realm = realmOf(context, organisation);
  const remaining = message.expiresAt === 0 ? -1 : Math.ceil((message.expiresAt - context.now()) / 1000);
  if (message.expiresAt !== 0 && remaining <= 0) return;
  passage.busy = true;
  try {
    const { topic, topicBytes, volatile } = message;
    // Each client has a topic of its own on which its coming and going is told. Other workers number the routes that they are told of.
    const passing = volatile && context.team === undefined;
    const route = passing ? realm.router.passingRoute(topic, topicBytes) : realm.router.route(topic);
    passage.beginOwned(route, message, sender, remaining);
    dispatch(context, realm, passage);
  } finally {
    passage.finish();
  }
}
