import type { BrokerContext } from './context.ts';
import type { Message } from './message.ts';
import type { Realm } from './realm.ts';

/** Keeps the last message of a topic, or forgets it if the new one is empty; on disk too if `stored`. */
export function keepRetained(
  { counters, durability }: BrokerContext,
  { organisation, retained }: Realm,
  message: Message,
  isEmpty: boolean,
  stored: boolean,
): void {
  counters.retainedNow -= retained.size;
  counters.retainedBytesNow -= retained.bytes;
  const { topic } = message;
  if (isEmpty) {
    retained.remove(topic);
    if (stored) durability.unretain(organisation, topic);
  } else if (retained.set(message)) {
    if (stored) durability.retain(organisation, message);
  } else {
    counters.retainedRefused++;
    if (stored) durability.unretain(organisation, topic);
  }
  counters.retainedNow += retained.size;
  counters.retainedBytesNow += retained.bytes;
}
