import type { BrokerLimits } from './limits.ts';

/** Whether a full topic has more levels than the limit, or became longer by the scope of a device than the protocol can carry. */
export function exceedsTopicBounds(topic: string, { topicLevels }: Pick<BrokerLimits, 'topicLevels'>): boolean {
  return levels(topic) > topicLevels || (topic.length > 20_000 && Buffer.byteLength(topic) > 65_535);
}

function levels(topic: string): number {
  let count = 1;
  for (let at = topic.indexOf('/'); at >= 0; at = topic.indexOf('/', at + 1)) count++;
  return count;
}
