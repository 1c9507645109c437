import { topicMatches } from '@sallyport/model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Message } from '../../src/broker/message.ts';
import { RetainedMessages } from '../../src/broker/retained.ts';
import type { Subscription } from '../../src/broker/route.ts';
import { SubscriptionTree } from '../../src/broker/subscription-tree.ts';

const level = fc.constantFrom('a', 'b', '', '$a');
const topic = fc
  .array(level, { minLength: 1, maxLength: 4 })
  .map((levels) => levels.join('/'))
  .filter((text) => text !== '');
const filter = fc
  .tuple(fc.array(fc.oneof(level, fc.constant('+')), { maxLength: 4 }), fc.boolean())
  .map(([levels, all]) => (all || levels.length === 0 ? [...levels, '#'] : levels).join('/'))
  .filter((text) => text !== '');

function subscriptionTo(text: string): Subscription {
  return { written: text, filter: text, share: undefined } as Subscription;
}

function matches(tree: SubscriptionTree, name: string): string[] {
  const found: string[] = [];
  tree.match(name, { subscription: ({ filter }) => found.push(filter), group: () => {} });
  return found.sort();
}

describe('the tree of subscriptions', () => {
  it('finds what topicMatches says, also after some have gone', () => {
    fc.assert(
      fc.property(fc.uniqueArray(filter, { maxLength: 12 }), fc.array(fc.nat(11)), topic, (filters, removed, name) => {
        const tree = new SubscriptionTree();
        const subscriptions = filters.map(subscriptionTo);
        for (const subscription of subscriptions) tree.add(subscription);
        const gone = new Set(removed.map((index) => subscriptions[index]));
        for (const subscription of gone) if (subscription) tree.remove(subscription);
        const left = subscriptions.filter((subscription) => !gone.has(subscription)).map(({ filter }) => filter);
        expect(matches(tree, name)).toEqual(left.filter((each) => topicMatches(each, name)).sort());
      }),
    );
  });
});

describe('the store of retained messages', () => {
  it('finds what topicMatches says, also after some have gone, and counts right', () => {
    fc.assert(
      fc.property(fc.uniqueArray(topic, { maxLength: 12 }), fc.array(fc.nat(11)), filter, (topics, removed, wanted) => {
        const store = new RetainedMessages({ retainedMessages: 100, retainedBytes: 10_000 });
        for (const name of topics) {
          store.set({ topic: name, topicBytes: Buffer.from(name), body: Buffer.from('x'), expiresAt: 0 } as Message);
        }
        const gone = new Set(removed.map((index) => topics[index]));
        for (const name of gone) if (name !== undefined) store.remove(name);
        const left = topics.filter((name) => !gone.has(name));
        const found = store.matching(wanted, 0).map(({ topic }) => topic);
        expect(found.sort()).toEqual(left.filter((name) => topicMatches(wanted, name)).sort());
        expect(store.size).toBe(left.length);
        expect(store.bytes).toBe(left.reduce((sum, name) => sum + name.length + 1, 0));
      }),
    );
  });
});
