import { describe, expect, it } from 'vitest';
import { eventLog } from '../../src/audit/log.ts';
import type { EventOf } from '../../src/events/events.ts';

function open(level: 'debug' | 'info' | 'warn' = 'info') {
  const clock = { now: 1_790_000_000_000 };
  const lines: Record<string, unknown>[] = [];
  const write = (line: string) => void lines.push(JSON.parse(line));
  return { clock, lines, log: eventLog({ level, now: () => clock.now, write }) };
}

function refused(ticket: string): EventOf<'message.denied'> {
  const at = '2026-11-22T00:00:00.000Z';
  const what = { action: 'publish', reason: 'topic_not_permitted', reasonCode: 0x87 } as const;
  return {
    type: 'message.denied',
    refusal: { ticket, at, lastAt: at, count: 1, clientId: 'c\n1', steps: [], cure: '', ...what },
  };
}

describe('the log', () => {
  it('says how to have a refusal explained, in one line whatever the client id', () => {
    const { log, lines } = open();
    log(refused('K01ABC'));
    expect(lines).toMatchObject([
      { event: 'message.denied', ticket: 'K01ABC', clientId: 'c\n1', msg: 'refused: sallyport explain K01ABC' },
    ]);
  });

  it('bounds the lines about refusals in a second and says how many it left out', () => {
    const { log, lines, clock } = open();
    for (let i = 0; i < 500; i++) log(refused('K01ABC'));
    expect(lines).toHaveLength(10);
    clock.now += 1000;
    log(refused('K01ABC'));
    expect(lines).toHaveLength(12);
    expect(lines[10]).toMatchObject({ event: 'refusals.left-out', count: 490 });
  });

  it('keeps to its level', () => {
    const { log, lines } = open('warn');
    log({ type: 'store.recovered', store: 'audit' });
    log({ type: 'server.unsafe', setting: 'a', meaning: 'b' });
    log({ type: 'defect', where: 'here', problem: 'why' });
    expect(lines.map((line) => line.event)).toEqual(['server.unsafe', 'defect']);
  });
});
