import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterEach, describe, expect, it } from 'vitest';
import { openRefusals } from '../../src/audit/refusals.ts';
import { readTicket } from '../../src/audit/ticket.ts';
import type { ServerEvent } from '../../src/events/events.ts';
import { openDatabase } from '../../src/storage/database.ts';
import { temporaryFolder } from '../storage/temporary-folder.ts';

const opened: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

async function open(options: { maximumRows?: number } = {}, path = join(temporaryFolder(), 'registry.db')) {
  const database = await openDatabase(path);
  const events: ServerEvent[] = [];
  const clock = { now: 1_790_000_000_000 };
  const refusals = openRefusals({
    database,
    now: () => clock.now,
    random: randomBytes,
    emit: (event) => events.push(event),
    ...options,
  });
  opened.push(database, refusals);
  return { database, refusals, events, clock, path };
}

const refusal = {
  action: 'publish',
  reason: 'topic_not_permitted',
  reasonCode: 0x87,
  organisation: 'demo',
  principal: 'device:demo/pump/pump-7',
  clientId: 'd:demo:pump:pump-7',
  address: '192.0.2.7',
  resource: 'a/b',
  steps: [{ stage: 'authorization', outcome: 'failed', text: 'No statement.', statements: ['s1'] }],
  cure: 'Use another topic.',
} as const;

describe('refusals', () => {
  it('are found by their ticket, however it is written, in memory and after a restart', async () => {
    const first = await open();
    const kept = first.refusals.refuse(refusal);
    first.refusals.refuse(refusal);
    expect(await first.refusals.find(` ${kept.ticket.toLowerCase()} `)).toMatchObject({ ...refusal, count: 2 });
    await first.refusals.close();
    await first.database.close();
    const second = await open({}, first.path);
    expect(await second.refusals.find(kept.ticket)).toMatchObject({ ...refusal, count: 2, ticket: kept.ticket });
    expect(await second.refusals.find('ZZZZZZ')).toBeUndefined();
    expect(await second.refusals.find("' or 1=1")).toBeUndefined();
  });

  it('are listed newest first, filtered, page by page', async () => {
    const { refusals, clock } = await open();
    for (let i = 0; i < 5; i++) {
      clock.now += 10;
      refusals.refuse({ ...refusal, clientId: `c${i}`, address: i % 2 ? '192.0.2.1' : '192.0.2.2' });
    }
    const first = await refusals.list({ limit: 2 });
    expect(first.items.map((item) => item.clientId)).toEqual(['c4', 'c3']);
    const second = await refusals.list({ limit: 9, after: first.next! });
    expect(second.items.map((item) => item.clientId)).toEqual(['c2', 'c1', 'c0']);
    const filtered = await refusals.list({ address: '192.0.2.1', organisation: 'demo' });
    expect(filtered.items.map((item) => item.clientId)).toEqual(['c3', 'c1']);
    expect((await refusals.list({ clientId: 'c3' })).items).toHaveLength(1);
    expect((await refusals.list({ reason: 'wrong_secret' })).items).toEqual([]);
    expect((await refusals.list({ since: clock.now })).items.map((item) => item.clientId)).toEqual(['c4']);
  });

  it('are kept in memory while the disk fails, told once, and written when it is back', async () => {
    const { refusals, database, events } = await open();
    await sql`pragma query_only = 1`.execute(database.query);
    const kept = refusals.refuse(refusal);
    await expect(refusals.flush()).rejects.toMatchObject({ code: 'store_unavailable' });
    await expect(refusals.flush()).rejects.toThrow();
    expect(await refusals.find(kept.ticket)).toMatchObject({ count: 1 });
    expect((await refusals.list({ clientId: refusal.clientId })).items).toHaveLength(1);
    await sql`pragma query_only = 0`.execute(database.query);
    await refusals.flush();
    expect(events.map((event) => event.type)).toEqual(['store.failing', 'store.recovered']);
    expect(await database.query.selectFrom('refusals').select('ticket').execute()).toEqual([{ ticket: kept.ticket }]);
  });

  it('are bounded on disk: the oldest go first', async () => {
    const { refusals, database, clock } = await open({ maximumRows: 1000 });
    for (let minute = 0; minute < 4; minute++) {
      for (let i = 0; i < 500; i++) {
        clock.now += 1;
        refusals.refuse({ ...refusal, address: `192.0.${minute}.${i}` });
      }
      await refusals.flush();
      clock.now += 60_000;
    }
    const rows = await database.query.selectFrom('refusals').select('address').orderBy('at').execute();
    expect(rows.length).toBe(1000);
    expect(rows[0]?.address).toBe('192.0.2.0');
  });
});

describe('readTicket', () => {
  it('reads what a person has written for what was meant', () => {
    expect(readTicket('k0 1abc'.replace('1', 'l'))).toBe('K01ABC');
    expect(readTicket('ko-iabc')).toBe('K01ABC');
    expect(readTicket('K01AB')).toBeUndefined();
    expect(readTicket('K01ABU')).toBeUndefined();
  });
});
