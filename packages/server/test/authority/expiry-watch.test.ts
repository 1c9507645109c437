import { describe, expect, it } from 'vitest';
import { type Ending, ExpiryWatch, stepsOf } from '../../src/authority/expiry-watch.ts';

const DAY = 86_400_000;

function watching(endings: () => readonly Ending[]) {
  const clock = { now: 1_800_000_000_000 };
  const told: string[] = [];
  const watch = new ExpiryWatch({
    endings: async () => endings(),
    emit: ({ what, days, count, organisation }) => told.push(`${what} ${organisation ?? ''} ${days} ${count}`),
    now: () => clock.now,
  });
  return {
    clock,
    watch,
    async look() {
      await watch.look();
      return told.splice(0);
    },
  };
}

describe('what ends soon', () => {
  it('is told once at each step, and each day on the last', async () => {
    const end = 1_800_000_000_000 + 31 * DAY;
    const book = watching(() => [
      { what: 'server certificate', name: 'CN=x', within: stepsOf(end, book.clock.now), notAfter: end },
    ]);
    expect(await book.look()).toEqual([]);
    book.clock.now += 2 * DAY;
    expect(await book.look()).toEqual(['server certificate  30 1']);
    book.clock.now += 3 * DAY;
    expect(await book.look()).toEqual([]);
    book.clock.now += 19 * DAY;
    expect(await book.look()).toEqual(['server certificate  7 1']);
    book.clock.now += 6 * DAY + 1;
    expect(await book.look()).toEqual(['server certificate  1 1']);
    expect(await book.look()).toEqual([]);
    expect(book.watch.counts).toEqual({ 'server certificate': { 30: 1, 7: 1, 1: 1 } });
  });

  it('is forgotten when it was renewed, and told again the next time', async () => {
    let endings: Ending[] = [];
    const book = watching(() => endings);
    const one = (): Ending => ({ what: 'authority', name: 'CN=x', within: { 30: 1, 7: 0, 1: 0 }, notAfter: 0 });
    endings = [one()];
    expect(await book.look()).toHaveLength(1);
    endings = [];
    expect(await book.look()).toEqual([]);
    endings = [one()];
    expect(await book.look()).toHaveLength(1);
  });

  it('is told of all client certificates of an organisation together, at most once a day', async () => {
    let count = 5000;
    const book = watching(() => [
      {
        what: 'client certificates',
        name: 'client certificates of demo',
        organisation: 'demo',
        within: { 30: count, 7: 0, 1: 0 },
        notAfter: 0,
      },
    ]);
    expect(await book.look()).toEqual(['client certificates demo 30 5000']);
    count = 5100;
    book.clock.now += DAY / 2;
    expect(await book.look()).toEqual([]);
    book.clock.now += DAY / 2;
    expect(await book.look()).toEqual(['client certificates demo 30 5100']);
  });

  it('is told of a hundred things at a time at most, and of the others at the next look', async () => {
    const book = watching(() =>
      Array.from({ length: 150 }, (_, index) => ({
        ...{ what: 'imported authority' as const, name: `CN=${index}`, notAfter: 0 },
        within: { 30: 1, 7: 0, 1: 0 },
      })),
    );
    expect(await book.look()).toHaveLength(100);
    expect(await book.look()).toHaveLength(50);
    expect(await book.look()).toEqual([]);
  });
});
