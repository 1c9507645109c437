import type { BrokerContext } from './context.ts';
import { noteDrop } from './drops.ts';
import { type Message, messageSize } from './message.ts';
import type { Receiver } from './receiver.ts';
import { FREE } from './window.ts';

/** Lets a QoS 1 or 2 message wait for its client. The oldest makes place for the newest (watson-iot.md section 2.9). */
export function enqueue(
  context: BrokerContext,
  receiver: Receiver,
  message: Message,
  flags: number,
  identifiers: Buffer | undefined,
): void {
  const { queue, limits } = receiver;
  const size = messageSize(message);
  if (size > limits.queueBytes || limits.queueMessages < 1) {
    noteDrop(context, receiver, 'queue_full');
    return;
  }
  while (queue.length >= limits.queueMessages || queue.bytes + size > limits.queueBytes) {
    context.durability.drop(queue.firstPosition, queue.first);
    queue.shift();
    context.counters.queuedNow--;
    noteDrop(context, receiver, 'queue_full');
  }
  const position = context.durability.keep(receiver, message, flags, identifiers, 0, FREE);
  queue.push(message, flags, identifiers, position);
  context.counters.queuedNow++;
}
