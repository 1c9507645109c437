import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openSessionStore, type SessionDatabase } from '../../src/broker/sqlite-session-store.ts';
import { temporaryFolder } from '../storage/temporary-folder.ts';
import { sessionStoreContract } from './session-store.contract.ts';

function sqliteBench() {
  const folder = temporaryFolder();
  const path = join(folder, 'sessions.db');
  let store: SessionDatabase | undefined;
  const open = async () => {
    store = await openSessionStore(path, { retryPause: 5 });
    return store;
  };
  return {
    path,
    open,
    async reopen() {
      await store?.close();
      return open();
    },
    async dispose() {
      await store?.close();
    },
  };
}

sessionStoreContract('SQLite', sqliteBench);

it('names a damaged file and what to do with it', async () => {
  const bench = sqliteBench();
  const store = await bench.open();
  for (let id = 1; id < 200; id++) {
    store.putReceived(id, 1);
    store.putMessage(id, message(`topic ${id}`, 500));
  }
  await store.close();
  const bytes = readFileSync(bench.path);
  bytes.fill(0xa5, 4096, 40_960);
  writeFileSync(bench.path, bytes);
  await expect(openSessionStore(bench.path)).rejects.toMatchObject({
    code: 'database_damaged',
    message: expect.stringContaining(bench.path),
    cure: expect.stringContaining('sessions.db-wal'),
  });
});

it('is open in one process at a time', async () => {
  const bench = sqliteBench();
  await bench.open();
  await expect(openSessionStore(bench.path)).rejects.toMatchObject({ code: 'data_directory_in_use' });
  await bench.dispose();
});

it('refuses what a full disk does not take, goes on removing, and recovers by itself', async () => {
  const bench = sqliteBench();
  const store = await bench.open();
  const told: string[] = [];
  let recovered = (): void => {};
  const again = new Promise<void>((resolve) => {
    recovered = resolve;
  });
  store.listen({
    committed() {},
    failing(problem, { retained }) {
      told.push(String(problem));
      expect([...retained]).toEqual([['demo', new Set(['big'])]]);
    },
    recovered,
  });
  store.putMessage(1, message('small', 10));
  await store.flush();
  store.limit(1);
  store.putMessage(2, message('waiting', 900_000));
  store.putRetained('demo', message('big', 900_000));
  store.removeMessage(1);
  await store.flush();
  expect(store.failing).toBe(true);
  expect(told).toEqual([expect.stringContaining('full')]);
  store.limit(1_000_000);
  await again;
  expect(store.failing).toBe(false);
  store.putMessage(3, message('later', 900_000));
  await store.flush();
  const found: number[] = [];
  const reader = await bench.reopen();
  await reader.load({
    session() {},
    subscription() {},
    received() {},
    message: (id) => found.push(id),
    waiting() {},
    retained() {},
  });
  expect(found).toEqual([3]);
  await bench.dispose();
});

function message(topic: string, size: number) {
  return {
    topic,
    topicBytes: Buffer.from(topic),
    body: Buffer.alloc(size, 1),
    payloadStart: 0,
    qos: 1 as const,
    retain: false,
    expiresAt: 0,
    storeId: 0,
    references: 0,
    volatile: false,
  };
}

it('writes nothing of what is put and removed within one batch, and everything else', async () => {
  const bench = sqliteBench();
  const store = await bench.open();
  for (let id = 1; id <= 3; id++) {
    store.putMessage(id, message('topic', 10));
    store.putWaiting(id, 7, id, 1, undefined, 0, 0);
  }
  store.removeWaiting(2);
  store.removeMessage(2);
  await store.flush();
  store.putMessage(4, message('topic', 10));
  store.removeMessage(1);
  store.removeMessage(4);
  store.removeWaiting(1);
  await store.flush();
  const found: string[] = [];
  const reader = await bench.reopen();
  await reader.load({
    session() {},
    subscription() {},
    received() {},
    message: (id) => found.push(`message ${id}`),
    waiting: ({ position }) => found.push(`waiting ${position}`),
    retained() {},
  });
  expect(found).toEqual(['message 3', 'waiting 3']);
  await bench.dispose();
});
