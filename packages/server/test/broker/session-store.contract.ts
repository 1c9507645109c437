import { afterEach, describe, expect, it } from 'vitest';
import type { Message } from '../../src/broker/message.ts';
import type { SessionStore, StoredSession, StoredSubscription, StoredWaiting } from '../../src/broker/session-store.ts';
import { AWAITS_PUBCOMP, AWAITS_PUBREC, FREE } from '../../src/broker/window.ts';
import { FACTS } from './harness.ts';

/** A store under test, and the same store as a later process finds it. */
export interface StoreBench {
  open(): Promise<SessionStore>;
  /** Ends the one that is open as the end of a process does, and opens it again. */
  reopen(): Promise<SessionStore>;
  dispose(): Promise<void>;
}

const MESSAGE: Message = {
  topic: 'räume/1',
  topicBytes: Buffer.from('räume/1'),
  body: Buffer.from([1, 2, 0, 255]),
  payloadStart: 1,
  qos: 2,
  retain: true,
  expiresAt: 1_900_000_000_000,
  storeId: 0,
  references: 0,
  volatile: false,
};

const SESSION: StoredSession = {
  id: 7,
  organisation: 'demo',
  clientId: 'one',
  grounds: {
    principal: { kind: 'application', organisation: 'demo', id: 'lab' },
    credential: 'c1',
    credentialKind: 'token',
    roles: ['standard'],
  },
  scoped: false,
  watson: true,
  assurance: 'full',
  version: 5,
  expiry: 600,
  share: 'group',
  facts: FACTS,
  connectedAt: 1,
  leftAt: 2,
  will: { message: MESSAGE, delay: 5, expiry: 9 },
};

const SUBSCRIPTION: StoredSubscription = {
  written: 'räume/+',
  filter: 'räume/+',
  qos: 1,
  noLocal: true,
  retainAsPublished: false,
  identifier: 3,
};

/** Everything that a store holds. */
async function contents(store: SessionStore) {
  const sessions: StoredSession[] = [];
  const subscriptions: [number, StoredSubscription][] = [];
  const received: [number, number][] = [];
  const messages: [number, Message][] = [];
  const waiting: StoredWaiting[] = [];
  const retained: [string, Message][] = [];
  await store.load({
    session: (session) => sessions.push(session),
    subscription: (id, subscription) => subscriptions.push([id, subscription]),
    received: (id, packetId) => received.push([id, packetId]),
    message: (id, message) => messages.push([id, message]),
    waiting: (one) => waiting.push(one),
    retained: (organisation, message) => retained.push([organisation, message]),
  });
  return { sessions, subscriptions, received, messages, waiting, retained };
}

/** What every session store promises. */
export function sessionStoreContract(name: string, make: () => StoreBench): void {
  describe(`${name} as a session store`, () => {
    let bench: StoreBench;
    afterEach(() => bench.dispose());

    async function opened(): Promise<SessionStore> {
      bench = make();
      return bench.open();
    }

    it('gives back what was put, as it was put', async () => {
      const store = await opened();
      store.putSession(SESSION);
      store.putSubscription(7, SUBSCRIPTION);
      store.putReceived(7, 40_000);
      store.putMessage(1, MESSAGE);
      store.putWaiting(1, 7, 1, 5, Buffer.from([11, 3]), 0, FREE);
      store.putWaiting(2, 7, 1, 1, undefined, 4, AWAITS_PUBREC);
      store.putRetained('demo', MESSAGE);
      await store.flush();
      expect(store.committed).toBe(store.written);
      const found = await contents(await bench.reopen());
      expect(found.sessions).toEqual([SESSION]);
      expect(found.subscriptions).toEqual([[7, SUBSCRIPTION]]);
      expect(found.received).toEqual([[7, 40_000]]);
      expect(found.messages).toEqual([[1, MESSAGE]]);
      expect(found.waiting).toEqual([
        { position: 1, session: 7, message: 1, flags: 5, identifiers: Buffer.from([11, 3]), packetId: 0, state: FREE },
        { position: 2, session: 7, message: 1, flags: 1, identifiers: undefined, packetId: 4, state: AWAITS_PUBREC },
      ]);
      expect(found.retained).toEqual([['demo', MESSAGE]]);
    });

    it('replaces what is put again and forgets what is removed', async () => {
      const store = await opened();
      store.putSession(SESSION);
      store.putSession({ ...SESSION, leftAt: 9 });
      store.putSubscription(7, SUBSCRIPTION);
      store.putSubscription(7, { ...SUBSCRIPTION, qos: 2 });
      store.putSubscription(7, { ...SUBSCRIPTION, written: 'other' });
      store.removeSubscription(7, 'other');
      store.putReceived(7, 1);
      store.putReceived(7, 1);
      store.putReceived(7, 2);
      store.removeReceived(7, 1);
      store.putMessage(1, MESSAGE);
      store.putMessage(2, MESSAGE);
      store.removeMessage(2);
      store.putWaiting(1, 7, 1, 2, undefined, 0, FREE);
      store.sendWaiting(1, 9, AWAITS_PUBREC);
      store.releaseWaiting(1, AWAITS_PUBCOMP);
      store.putWaiting(2, 7, 1, 2, undefined, 0, FREE);
      store.removeWaiting(2);
      store.putRetained('demo', MESSAGE);
      store.putRetained('demo', { ...MESSAGE, body: Buffer.from('x'), payloadStart: 0 });
      store.putRetained('other', MESSAGE);
      store.removeRetained('other', MESSAGE.topic);
      await store.flush();
      const found = await contents(await bench.reopen());
      expect(found.sessions).toMatchObject([{ leftAt: 9 }]);
      expect(found.subscriptions).toMatchObject([[7, { qos: 2 }]]);
      expect(found.received).toEqual([[7, 2]]);
      expect(found.messages.map(([id]) => id)).toEqual([1]);
      expect(found.waiting).toMatchObject([{ position: 1, message: 0, packetId: 9, state: AWAITS_PUBCOMP }]);
      expect(found.retained).toMatchObject([['demo', { body: Buffer.from('x') }]]);
    });

    it('forgets a session with all that belongs to it', async () => {
      const store = await opened();
      for (const id of [7, 8]) {
        store.putSession({ ...SESSION, id });
        store.putSubscription(id, SUBSCRIPTION);
        store.putReceived(id, 1);
      }
      store.removeSession(7);
      await store.flush();
      const found = await contents(await bench.reopen());
      expect(found.sessions.map(({ id }) => id)).toEqual([8]);
      expect(found.subscriptions.map(([id]) => id)).toEqual([8]);
      expect(found.received).toEqual([[8, 1]]);
    });

    it('shows what waits in the order of its positions, however much it is', async () => {
      const store = await opened();
      store.putMessage(1, MESSAGE);
      for (let position = 1300; position > 0; position--) store.putWaiting(position, 7, 1, 1, undefined, 0, FREE);
      await store.flush();
      const { waiting } = await contents(await bench.reopen());
      expect(waiting.map(({ position }) => position)).toEqual(Array.from({ length: 1300 }, (_, index) => index + 1));
    });

    it('numbers its calls and tells when they are safe', async () => {
      const store = await opened();
      let heard = 0;
      store.listen({
        committed() {
          heard = store.committed;
        },
        failing() {},
        recovered() {},
      });
      const before = store.written;
      store.putSession(SESSION);
      expect(store.written).toBe(before + 1);
      await store.flush();
      expect(store.committed).toBe(before + 1);
      expect(Math.max(heard, store.committed)).toBe(before + 1);
    });

    it('takes what is written while it is being closed', async () => {
      const store = await opened();
      for (let id = 1; id <= 50; id++) store.putSession({ ...SESSION, id });
      await store.close();
      expect((await contents(await bench.reopen())).sessions).toHaveLength(50);
    });
  });
}
