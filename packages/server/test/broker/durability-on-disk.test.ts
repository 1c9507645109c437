import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { openSessionStore, type SessionDatabase } from '../../src/broker/sqlite-session-store.ts';
import { temporaryFolder } from '../storage/temporary-folder.ts';
import { type Client, Stage, settled } from './harness.ts';

const KEPT = { cleanStart: false, properties: { sessionExpiryInterval: 600 } };

let store: SessionDatabase | undefined;
afterEach(() => store?.close());

async function stageOn(path: string): Promise<Stage> {
  store = await openSessionStore(path, { retryPause: 5 });
  const stage = new Stage({ store });
  await stage.restore();
  return stage;
}

/** Everything that was written is on disk, and the broker has heard of it. */
async function committed(): Promise<void> {
  await settled();
  await store?.flush();
  await settled();
}

async function connected(stage: Stage, clientId: string, options = KEPT): Promise<Client> {
  const client = stage.dial();
  client.connect(clientId, options);
  await committed();
  client.welcome = client.expect('connack');
  return client;
}

it('keeps sessions and messages in a file that the next process reads', async () => {
  const path = join(temporaryFolder(), 'sessions.db');
  const before = await stageOn(path);
  const client = await connected(before, 'receiver');
  client.subscribe('a', { qos: 2 });
  await committed();
  expect(client.expect('suback').reasonCodes).toEqual([2]);
  await client.vanish();
  const sender = await connected(before, 'sender');
  sender.publish('a', 'one', { qos: 1, packetId: 1 });
  sender.publish('a', 'two', { qos: 2, packetId: 2 });
  sender.publish('kept', 'three', { qos: 1, packetId: 3, retain: true });
  await committed();
  expect(sender.packets).toMatchObject([{ type: 'puback' }, { type: 'pubrec' }, { type: 'puback' }]);
  await before.broker.close('test');
  await store?.close();

  const after = await stageOn(path);
  const again = await connected(after, 'receiver');
  await committed();
  expect(again.welcome.sessionPresent).toBe(true);
  expect(again.messages()).toEqual(['a one', 'a two']);
  again.subscribe('kept');
  await committed();
  again.expect('suback');
  expect(again.messages()).toEqual(['kept three']);
});

it('refuses publishes on a full disk, lets clients read, and goes on when there is room', async () => {
  const path = join(temporaryFolder(), 'sessions.db');
  const stage = await stageOn(path);
  const client = await connected(stage, 'receiver');
  client.subscribe('a', { qos: 1 });
  await committed();
  await client.vanish();
  const sender = await connected(stage, 'sender');
  sender.publish('a', 'before', { qos: 1, packetId: 1 });
  await committed();
  expect(sender.expect('puback').reasonCode).toBe(0);

  store?.limit(1);
  const large = 'x'.repeat(200_000);
  sender.publish('a', large, { qos: 1, packetId: 2 });
  await committed();
  expect(sender.expect('puback').reasonCode).toBe(0x97);
  sender.publish('a', 'small', { qos: 1, packetId: 3 });
  await committed();
  expect(sender.expect('puback').reasonCode).toBe(0x97);
  expect(stage.of('store.failing')).toMatchObject([{ store: 'sessions', problem: expect.stringContaining('full') }]);
  const again = await connected(stage, 'receiver');
  expect(again.messages()[0]).toBe('a before');

  const recovered = new Promise<void>((resolve) => stage.events.on('store.recovered', () => resolve()));
  store?.limit(1_000_000);
  await recovered;
  sender.publish('a', 'after', { qos: 1, packetId: 4 });
  await committed();
  expect(sender.expect('puback').reasonCode).toBe(0);
});
