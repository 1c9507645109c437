import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type NewRefusal, RefusalBook } from '../../src/audit/refusal-book.ts';

function wrongSecret(extra: Partial<NewRefusal> = {}): NewRefusal {
  return {
    action: 'connect',
    reason: 'wrong_secret',
    reasonCode: 0x87,
    address: '192.0.2.7',
    clientId: 'd:demo:pump:pump-7',
    steps: [{ stage: 'authentication', outcome: 'failed', text: 'The password is not one of the 2 valid tokens.' }],
    cure: 'Use the token.',
    ...extra,
  };
}

function openBook(most?: number) {
  const clock = { now: 1_790_000_000_000 };
  return { clock, book: new RefusalBook(() => clock.now, randomBytes, most) };
}

const sumOf = (refusals: readonly { count: number }[]) => refusals.reduce((sum, refusal) => sum + refusal.count, 0);

describe('the refusal book', () => {
  it('gives a ticket of six characters and keeps the whole trace under it', () => {
    const { book } = openBook();
    const refusal = book.add(wrongSecret());
    expect(refusal.ticket).toMatch(/^[0-9A-HJKMNP-TV-Z]{6}$/);
    expect(refusal).toMatchObject({ ...wrongSecret(), count: 1, at: '2026-09-21T14:13:20.000Z' });
    expect(book.find(refusal.ticket)).toEqual(refusal);
  });

  it('counts equal refusals of a minute under one ticket, and then gives a new one', () => {
    const { book, clock } = openBook();
    const first = book.add(wrongSecret());
    clock.now += 59_000;
    const second = book.add(wrongSecret());
    expect(second).toMatchObject({ ticket: first.ticket, count: 2, at: first.at, lastAt: '2026-09-21T14:14:19.000Z' });
    clock.now += 1000;
    const third = book.add(wrongSecret());
    expect(third.ticket).not.toBe(first.ticket);
    expect(third.count).toBe(1);
  });

  it('tells different refusals apart', () => {
    const { book } = openBook();
    const different: Partial<NewRefusal>[] = [
      {},
      { address: '192.0.2.8' },
      { clientId: 'other' },
      { action: 'publish' },
      { resource: 'a/b' },
      { reason: 'credential_expired' },
      { principal: 'device:demo/pump/pump-7' },
      { steps: [{ stage: 'certificate', outcome: 'failed', text: 'It is signed with a broken hash.' }] },
      { steps: [{ stage: 'certificate', outcome: 'failed', text: 'Its key is too short.' }] },
    ];
    expect(new Set(different.map((extra) => book.add(wrongSecret(extra)).ticket)).size).toBe(different.length);
  });

  it('keeps three hundred tickets of one address in a minute and counts the rest under one that says so', () => {
    const { book, clock } = openBook();
    const tickets = Array.from({ length: 400 }, (_, i) => book.add(wrongSecret({ clientId: `c${i}` })));
    expect(new Set(tickets.map((refusal) => refusal.ticket)).size).toBe(301);
    const last = tickets.at(-1)!;
    // The peer still hears what concerns it.
    expect(last).toMatchObject({ clientId: 'c399', reason: 'wrong_secret' });
    expect(book.find(last.ticket)).toMatchObject({ count: 100, address: '192.0.2.7' });
    expect(
      book
        .find(last.ticket)
        ?.steps.map((step) => step.text)
        .join(' '),
    ).toContain('wrong_secret 100');
    expect(book.counts).toEqual({ total: 400, untraced: 100 });

    const elsewhere = book.add(wrongSecret({ address: '192.0.2.99' }));
    expect(book.find(elsewhere.ticket)?.steps).toEqual(wrongSecret().steps);
    clock.now += 60_000;
    expect(book.add(wrongSecret({ clientId: 'later' })).count).toBe(1);
  });

  it('keeps no more tickets than it can in a minute, whatever the addresses', () => {
    const { book } = openBook();
    for (let i = 0; i < 5000; i++) book.add(wrongSecret({ address: `2001:db8::${i.toString(16)}` }));
    expect(book.list().length).toBe(3001);
    expect(sumOf(book.list())).toBe(5000);
  });

  it('keeps nothing of a stranger at any size', () => {
    const { book } = openBook();
    const long = 'x'.repeat(65_000);
    const steps = Array.from({ length: 500 }, () => ({
      stage: 'limits' as const,
      outcome: 'failed' as const,
      text: long,
      compared: { what: long, found: long, expected: long },
    }));
    const { ticket } = book.add(wrongSecret({ clientId: long, resource: long, principal: long, cure: long, steps }));
    expect(JSON.stringify(book.find(ticket)).length).toBeLessThan(60_000);
  });

  it('stays within its bound while nothing can be saved, and loses no count', () => {
    const { book, clock } = openBook();
    let met = 0;
    for (let minute = 0; minute < 20; minute++) {
      for (let i = 0; i < 700; i++, met++) book.add(wrongSecret({ address: `192.0.${minute}.${i}` }));
      clock.now += 60_000;
    }
    expect(book.list().length).toBeLessThanOrEqual(5000);
    expect(sumOf(book.list())).toBe(met);
    expect(book.counts.total).toBe(met);
    expect(book.counts.untraced).toBeLessThan(met);
  });

  it('counts what is already on disk no second time when a refusal is forgotten', () => {
    const { book } = openBook(2);
    const { ticket } = book.add(wrongSecret());
    expect(book.takeUnsaved(10).refusals).toMatchObject([{ ticket, count: 1 }]);
    book.add(wrongSecret());
    book.takeUnsaved(10).failed();
    book.add(wrongSecret({ clientId: 'b' }));
    book.add(wrongSecret({ clientId: 'c' }));
    expect(book.find(ticket)).toBeUndefined();
    expect(sumOf(book.list())).toBe(3);
    expect(book.counts.total).toBe(4);
  });

  it('loses no count, in whatever order refusals come, are saved, fail to be, and are forgotten', () => {
    const step = fc.oneof(
      fc.record({ add: fc.nat(3), address: fc.nat(40) }),
      fc.record({ wait: fc.nat(40_000) }),
      fc.record({ save: fc.boolean(), most: fc.integer({ min: 1, max: 50 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), fc.integer({ min: 3, max: 60 }), (steps, most) => {
        const { book, clock } = openBook(most);
        const disk = new Map<string, number>();
        let met = 0;
        for (const one of steps) {
          if ('add' in one) {
            book.add(wrongSecret({ address: `a${one.address % 3}`, clientId: `c${one.address}-${one.add}` }));
            met += 1;
          } else if ('wait' in one) {
            clock.now += one.wait;
          } else {
            const taken = book.takeUnsaved(one.most);
            if (one.save) for (const refusal of taken.refusals) disk.set(refusal.ticket, refusal.count);
            else taken.failed();
          }
        }
        for (const refusal of book.takeUnsaved(10_000).refusals) disk.set(refusal.ticket, refusal.count);
        expect([...disk.values()].reduce((sum, count) => sum + count, 0)).toBe(met);
        expect(book.counts.total).toBe(met);
      }),
      { numRuns: 100 },
    );
  });
});
