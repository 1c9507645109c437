import { join } from 'node:path';
import { sql } from 'kysely';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { AUDIT_EVENTS } from '../../src/audit/audit-events.ts';
import { openTrail, type TrailOptions } from '../../src/audit/trail.ts';
import type { EventOf, ServerEvent } from '../../src/events/events.ts';
import { openDatabase } from '../../src/storage/database.ts';
import { temporaryFolder } from '../storage/temporary-folder.ts';

const opened: { close(): Promise<void> }[] = [];

afterEach(async () => {
  vi.useRealTimers();
  for (const one of opened.splice(0).reverse()) await one.close();
});

async function open(options: Partial<TrailOptions> = {}) {
  const database = await openDatabase(join(temporaryFolder(), 'registry.db'));
  const events: ServerEvent[] = [];
  const clock = { now: 1_790_000_000_000 };
  const trail = openTrail({
    database,
    now: () => clock.now,
    emit: (event) => events.push(event),
    retention: 86_400_000,
    maximumRows: 1_000_000,
    ...options,
  });
  opened.push(database, trail);
  const types = async () => (await trail.query({ limit: 1000 })).items.map((item) => item.type);
  return { database, trail, events, clock, types };
}

const transport = {
  listener: 'mqtt-tls',
  transport: 'tls',
  secure: true,
  remoteAddress: '192.0.2.7',
  remotePort: 50_000,
  localPort: 8883,
  tlsVersion: 'TLSv1.3',
} as const;

function sessionOpened(clientId = 'd:demo:pump:pump-7'): EventOf<'session.opened'> {
  return {
    type: 'session.opened',
    organisation: 'demo',
    clientId,
    principal: 'device:demo/pump/pump-7',
    transport,
    protocolVersion: 5,
    username: 'use-token-auth',
    credential: 'c1',
    credentialKind: 'token',
    assurance: 'full',
    presence: 1,
    cleanStart: true,
    sessionPresent: false,
  };
}

function denied(count: number): EventOf<'message.denied'> {
  return {
    type: 'message.denied',
    refusal: {
      ticket: 'K01ABC',
      at: '2026-11-22T00:00:00.000Z',
      lastAt: '2026-11-22T00:00:00.000Z',
      count,
      action: 'publish',
      reason: 'topic_not_permitted',
      reasonCode: 0x87,
      organisation: 'demo',
      principal: 'device:demo/pump/pump-7',
      address: '192.0.2.7',
      resource: 'x'.repeat(1000),
      steps: [],
      cure: '',
    },
  };
}

describe('the trail', () => {
  it('writes who, what, from where and with what outcome', async () => {
    const { trail, clock } = await open();
    trail.record(sessionOpened());
    expect((await trail.query({})).items).toEqual([
      {
        sequence: 1,
        at: clock.now,
        type: 'session.opened',
        organisation: 'demo',
        principal: 'device:demo/pump/pump-7',
        address: '192.0.2.7',
        outcome: 'done',
        details: {
          clientId: 'd:demo:pump:pump-7',
          listener: 'mqtt-tls',
          transport: 'tls',
          tlsVersion: 'TLSv1.3',
          protocolVersion: 5,
          username: 'use-token-auth',
          credential: 'c1',
          credentialKind: 'token',
          assurance: 'full',
          cleanStart: true,
          sessionPresent: false,
        },
      },
    ]);
  });

  it('writes the first refusal of a ticket and clips what a stranger has sent', async () => {
    const { trail } = await open();
    trail.record(denied(1));
    trail.record(denied(2));
    const [row, ...more] = (await trail.query({ type: 'message.denied' })).items;
    expect(more).toEqual([]);
    expect(row).toMatchObject({ ticket: 'K01ABC', outcome: 'refused', details: { reason: 'topic_not_permitted' } });
    expect(row?.target).toHaveLength(256);
  });

  it('counts drops and defects by client, place and minute', async () => {
    const { trail, clock } = await open();
    const dropped = { type: 'message.dropped', organisation: 'demo', clientId: 'c1', cause: 'queue full' } as const;
    for (let i = 0; i < 50; i++) trail.record({ ...dropped, count: 2 });
    trail.record({ type: 'defect', where: 'here', problem: 'why' });
    trail.record({ type: 'defect', where: 'here', problem: 'why' });
    expect((await trail.query({})).items).toEqual([]);
    clock.now += 60_000;
    const rows = (await trail.query({ order: 'oldest' })).items;
    expect(rows).toMatchObject([
      { type: 'message.dropped', details: { clientId: 'c1', cause: 'queue full', count: 100 } },
      { type: 'defect', details: { where: 'here', problem: 'why', count: 2 } },
    ]);
  });

  it('keeps a bound on the clients whose drops it tells apart', async () => {
    const { trail } = await open();
    const dropped = { type: 'message.dropped', organisation: 'demo', cause: 'queue full', count: 1 } as const;
    for (let i = 0; i < 3000; i++) trail.record({ ...dropped, clientId: `c${i}` });
    expect(trail.counts.waiting).toBe(1001);
    await trail.flush();
    const others = (await trail.query({ limit: 1 })).items[0];
    expect(others?.details).toEqual({ clientId: 'others', count: 2000 });
  });

  it('passes over what the registry has written itself', async () => {
    const { trail } = await open();
    trail.record({ type: 'registry.changed', by: 'system', action: 'device.created', target: 'device:demo/a/b' });
    expect(trail.counts.waiting).toBe(0);
  });

  it('answers by type, beginning of a type, principal, organisation and time, page by page, both ways', async () => {
    const { trail, clock } = await open();
    for (let i = 0; i < 5; i++) {
      clock.now += 10;
      trail.record(sessionOpened(`c${i}`));
    }
    trail.record(denied(1));
    trail.record({ type: 'server.stopping', cause: 'SIGINT' });
    const count = async (query: Parameters<typeof trail.query>[0]) => (await trail.query(query)).items.length;
    expect(await count({ type: 'session.opened' })).toBe(5);
    expect(await count({ type: 's*' })).toBe(6);
    expect(await count({ type: '%*' })).toBe(7);
    expect(await count({ principal: 'device:demo/pump/pump-7', organisation: 'demo' })).toBe(6);
    expect(await count({ ticket: 'K01ABC' })).toBe(1);
    expect(await count({ since: clock.now - 20, until: clock.now })).toBe(2);
    const newest = await trail.query({ limit: 2 });
    expect(newest.items.map((item) => item.sequence)).toEqual([7, 6]);
    expect((await trail.query({ limit: 2, after: newest.next! })).items.map((item) => item.sequence)).toEqual([5, 4]);
    const oldest = await trail.query({ limit: 2, order: 'oldest' });
    expect(oldest.items.map((item) => item.sequence)).toEqual([1, 2]);
    expect((await trail.query({ after: oldest.next!, order: 'oldest' })).items[0]?.sequence).toBe(3);
  });

  it('writes by itself, in batches, without being asked', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { trail } = await open();
    trail.record(sessionOpened());
    await vi.advanceTimersByTimeAsync(499);
    expect(trail.counts).toMatchObject({ written: 0, waiting: 1 });
    await vi.advanceTimersByTimeAsync(1);
    await vi.waitFor(() => expect(trail.counts).toMatchObject({ written: 1, waiting: 0 }));
    for (let i = 0; i < 600; i++) trail.record(sessionOpened());
    await vi.advanceTimersByTimeAsync(1);
    await vi.waitFor(() => expect(trail.counts).toMatchObject({ written: 601, waiting: 0 }));
  });

  it('survives a failing disk: tells once, keeps a bound, says what was lost, and recovers', async () => {
    const { trail, database, events, types } = await open();
    await sql`pragma query_only = 1`.execute(database.query);
    trail.record(sessionOpened('first'));
    await expect(trail.flush()).rejects.toMatchObject({ code: 'store_unavailable' });
    for (let i = 0; i < 10_400; i++) trail.record(sessionOpened(`c${i}`));
    await expect(trail.flush()).rejects.toThrow();
    expect(trail.counts).toEqual({ written: 0, waiting: 10_000, lost: 401 });
    expect(await types()).toEqual([]);

    await sql`pragma query_only = 0`.execute(database.query);
    await trail.flush();
    expect(events.map((event) => event.type)).toEqual(['store.failing', 'store.recovered']);
    const lost = await trail.query({ type: 'audit.lost' });
    expect(lost.items).toMatchObject([{ details: { count: 401 } }]);
    expect(trail.counts).toEqual({ written: 10_001, waiting: 0, lost: 401 });
  });

  it('keeps the newest rows within its bound, and none beyond its retention', async () => {
    const { trail, database, clock } = await open({ maximumRows: 1500, retention: 1000 });
    const sequences = () => database.query.selectFrom('audit').select('sequence').orderBy('sequence').execute();
    for (let i = 0; i < 5; i++) {
      for (let j = 0; j < 1000; j++) trail.record(sessionOpened());
      await trail.flush();
    }
    const kept = await sequences();
    expect(kept).toHaveLength(1500);
    expect(kept.at(-1)?.sequence).toBe(5000);
    clock.now += 2000;
    for (let i = 0; i < 3; i++) {
      for (let j = 0; j < 1000; j++) trail.record(sessionOpened());
      await trail.flush();
    }
    expect((await sequences())[0]?.sequence).toBeGreaterThan(5000);
  });

  it('writes what waits when it is closed, and nothing after it', async () => {
    const { trail, database } = await open();
    trail.record(sessionOpened());
    await trail.close();
    trail.record(sessionOpened());
    expect(trail.counts).toMatchObject({ written: 1, waiting: 0 });
    expect(await database.query.selectFrom('audit').select('type').execute()).toHaveLength(1);
  });
});

describe('AUDIT_EVENTS', () => {
  it('describes every row that can be written', async () => {
    const { trail } = await open();
    trail.record({ type: 'server.started', version: '1', listeners: [] });
    trail.record(sessionOpened());
    trail.record(denied(1));
    trail.record({ type: 'defect', where: 'here', problem: 'why' });
    await trail.flush();
    for (const { type, details } of (await trail.query({})).items) {
      expect(AUDIT_EVENTS).toHaveProperty([type]);
      const described: readonly string[] = AUDIT_EVENTS[type as keyof typeof AUDIT_EVENTS].details;
      expect(described).toEqual(expect.arrayContaining(Object.keys(details ?? {})));
    }
  });
});
