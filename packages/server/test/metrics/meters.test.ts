import { describe, expect, it } from 'vitest';
import { newCounters } from '../../src/broker/counters.ts';
import type { EventOf } from '../../src/events/events.ts';
import { serverHealth } from '../../src/metrics/health.ts';
import { METERS, openMeters } from '../../src/metrics/meters.ts';

function open() {
  const counters = newCounters();
  const trail = { counts: { written: 0, waiting: 0, lost: 0 } };
  const refusals = { counts: { total: 0, untraced: 0 } };
  return { counters, trail, refusals, meters: openMeters({ counters, trail, refusals }) };
}

function refused(clientId: string): EventOf<'message.denied'> {
  const at = '2026-11-22T00:00:00.000Z';
  const what = { action: 'publish', reason: 'topic_not_permitted', reasonCode: 0x87 } as const;
  return {
    type: 'message.denied',
    refusal: { ticket: 'K01ABC', at, lastAt: at, count: 1, clientId, steps: [], cure: '', ...what },
  };
}

describe('the meters', () => {
  it('show the numbers as they are at the scrape', async () => {
    const { counters, trail, meters } = open();
    counters.messagesReceived = 7;
    expect(await meters.text()).toMatch(/^sallyport_received_messages_total 7$/m);
    counters.messagesReceived = 9;
    counters.connectionsNow = 3;
    trail.counts = { written: 11, waiting: 2, lost: 1 };
    const text = await meters.text();
    expect(text).toMatch(/^sallyport_received_messages_total 9$/m);
    expect(text).toMatch(/^sallyport_connections 3$/m);
    expect(text).toMatch(/^sallyport_audit_rows_total 11$/m);
    expect(text).toMatch(/^sallyport_audit_rows_lost_total 1$/m);
    expect(text).toContain('process_cpu_seconds_total');
  });

  it('show every meter of the reference with its meaning', async () => {
    const text = await open().meters.text();
    for (const { name, kind, meaning } of METERS) {
      expect(text).toContain(`# HELP ${name} ${meaning}`);
      expect(text).toContain(`# TYPE ${name} ${kind}`);
    }
  });

  it('count refusals by action and reason and by nothing that a client can choose', async () => {
    const { meters } = open();
    for (let i = 0; i < 100; i++) meters.observe(refused(`c${i}`));
    const lines = (await meters.text()).split('\n').filter((line) => line.startsWith('sallyport_refusals_total'));
    expect(lines).toEqual(['sallyport_refusals_total{action="publish",reason="topic_not_permitted"} 100']);
  });

  it('show which store fails until it has recovered', async () => {
    const { meters } = open();
    meters.observe({ type: 'store.failing', store: 'audit', problem: 'full' });
    expect(await meters.text()).toContain('sallyport_store_failing{store="audit"} 1');
    meters.observe({ type: 'store.recovered', store: 'audit' });
    expect(await meters.text()).toContain('sallyport_store_failing{store="audit"} 0');
  });

  it('stand apart: two servers in one process do not meet', async () => {
    const [one, other] = [open(), open()];
    one.counters.sessionsOpened = 5;
    expect(await other.meters.text()).toMatch(/^sallyport_sessions_opened_total 0$/m);
  });
});

describe('the health', () => {
  it('fails with a store and recovers with it', () => {
    const health = serverHealth();
    expect(health.now()).toEqual({ status: 'ok', parts: { broker: 'ok', registry: 'ok' } });
    health.observe({ type: 'store.failing', store: 'audit', problem: 'full' });
    expect(health.now()).toEqual({ status: 'failing', parts: { broker: 'ok', registry: 'ok', audit: 'failing' } });
    health.observe({ type: 'store.recovered', store: 'audit' });
    expect(health.now().status).toBe('ok');
  });
});
