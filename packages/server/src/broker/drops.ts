import type { BrokerContext } from './context.ts';
import type { Receiver } from './receiver.ts';

/** Why a message was not handed to a client that was entitled to it. */
export type DropCause = 'slow_peer' | 'queue_full' | 'expired' | 'too_large';

const COUNTERS = {
  slow_peer: 'droppedSlowPeer',
  queue_full: 'droppedQueueFull',
  expired: 'droppedExpired',
  too_large: 'droppedTooLarge',
} as const satisfies Record<DropCause, string>;

/** Counts a dropped message; tells of it by event at most once per client and tick. */
export function noteDrop(context: BrokerContext, receiver: Receiver, cause: DropCause): void {
  context.counters[COUNTERS[cause]]++;
  receiver.dropped++;
  if (receiver.droppedTick === context.wheel.tick) return;
  receiver.droppedTick = context.wheel.tick;
  const count = receiver.dropped;
  receiver.dropped = 0;
  const { organisation, clientId } = receiver;
  context.events.emit({ type: 'message.dropped', organisation, clientId, cause, count });
}
