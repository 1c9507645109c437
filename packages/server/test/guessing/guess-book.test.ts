import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GuessBook, type GuessCount } from '../../src/guessing/guess-book.ts';

const SETTINGS = { failuresPerPrincipal: 5, failuresPerAddress: 12, window: 1000, block: 100, maximumBlock: 400 };
const HOME = '192.0.2.1';
const STRANGER = '203.0.113.9';
const PUMP = 'device:demo/pump/pump-7';

function opened() {
  const counts = new Map<string, GuessCount | undefined>();
  const known: [string, string, number | undefined][] = [];
  const book = new GuessBook(SETTINGS, {
    count: (key, count) => void counts.set(key, count),
    known: (...each) => void known.push(each),
  });
  return { book, counts, known };
}
const fail = (book: GuessBook, times: number, network = STRANGER, claim: string | undefined = PUMP, now = 0) =>
  Array.from({ length: times }, () => book.failed(network, claim, now)).flatMap(({ blocks }) => blocks);

describe('the book of wrong attempts', () => {
  it('blocks an address for a principal after too many, and for whomever after more', () => {
    const { book } = opened();
    expect(fail(book, 4)).toEqual([]);
    expect(book.blocked(STRANGER, PUMP, 0)).toBe(undefined);
    expect(fail(book, 1)).toEqual([{ network: STRANGER, claim: PUMP, failures: 5, blocks: 1, until: 100 }]);
    expect(book.blocked(STRANGER, PUMP, 99)).toMatchObject({ until: 100 });
    expect(book.blocked(STRANGER, 'device:demo/pump/pump-8', 99)).toBe(undefined);
    expect(book.blocked(STRANGER, PUMP, 100)).toBe(undefined);
    for (let number = 0; number < 7; number++) fail(book, 1, STRANGER, `device:demo/pump/${number}`, 100);
    expect(book.blocked(STRANGER, 'device:demo/pump/other', 150)).toMatchObject({ until: 200 });
    expect(book.closedTo(STRANGER, 150)).toBe(200);
  });

  it('never blocks whoever is known from an address, whatever strangers do anywhere, even there', () => {
    const networks = [HOME, STRANGER, '198.51.100.7', '2001:db8:0:1::/64'];
    const step = fc.record({
      network: fc.constantFrom(...networks),
      claim: fc.constantFrom(PUMP, 'device:demo/pump/x', undefined),
      pause: fc.nat(200),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const { book } = opened();
        book.passed(HOME, [PUMP], 0);
        let now = 0;
        for (const { network, claim, pause } of steps) {
          now += pause;
          book.failed(network, claim, now);
          expect(book.blocked(HOME, PUMP, now)).toBe(undefined);
          expect(book.closedTo(HOME, now)).toBe(undefined);
        }
      }),
    );
  });

  it('lets a principal that is guessed from everywhere in from an address that has not failed for it', () => {
    const { book } = opened();
    for (let number = 0; number < 60; number++) fail(book, 1, `198.51.100.${number}`);
    expect(book.blocked('198.51.100.3', PUMP, 0)?.text).toContain('is being guessed');
    expect(book.blocked('192.0.2.200', PUMP, 0)).toBe(undefined);
    expect(book.blocked('198.51.100.3', PUMP, SETTINGS.window)).toBe(undefined);
  });

  it('blocks for longer each time, up to a bound, and forgets in the end', () => {
    const { book } = opened();
    const lengths: number[] = [];
    let now = 0;
    for (let round = 0; round < 4; round++) {
      const [block] = [...fail(book, 5, STRANGER, PUMP, now)].filter(({ claim }) => claim === PUMP);
      lengths.push((block?.until ?? 0) - now);
      now = block?.until ?? 0;
    }
    expect(lengths).toEqual([100, 200, 400, 400]);
    now += 10_000;
    expect(fail(book, 4, STRANGER, PUMP, now)).toEqual([]);
    expect(fail(book, 1, STRANGER, PUMP, now)[0]).toMatchObject({ blocks: 1, until: now + 100 });
  });

  it('answers more and more slowly on the way to a block, and the first failures at once', () => {
    const { book } = opened();
    const delays = Array.from({ length: 5 }, () => book.failed(STRANGER, PUMP, 0).delay);
    expect(delays[0]).toBe(0);
    expect(delays).toEqual([...delays].sort((a, b) => a - b));
    expect(delays[4]).toBe(2000);
  });

  it('counts nothing against who comes with the right proof, and forgets what it did wrong there', () => {
    const { book } = opened();
    fail(book, 4, HOME);
    book.passed(HOME, [PUMP], 0);
    expect(fail(book, 4, HOME)).toEqual([]);
    expect(book.isKnown(PUMP, HOME)).toBe(true);
  });

  it('ends what an operator releases: of an address, or for a principal', () => {
    const { book } = opened();
    fail(book, 5);
    fail(book, 5, '198.51.100.7');
    expect(book.blocks(0)).toHaveLength(2);
    expect(book.release({ network: STRANGER }, 0)).toBe(1);
    expect(book.blocked(STRANGER, PUMP, 0)).toBe(undefined);
    expect(book.release({ claim: PUMP }, 0)).toBe(1);
    expect(book.blocks(0)).toEqual([]);
  });

  it('stays bounded, and remembers the networks of one principal only up to a bound', () => {
    const { book, counts, known } = opened();
    for (let number = 0; number < 60_000; number++)
      book.failed(`10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`, undefined, 0);
    expect([...counts.values()].filter((count) => count !== undefined)).toHaveLength(50_000);
    for (let number = 0; number < 30; number++) book.passed(`192.0.2.${number}`, [PUMP], number);
    expect(book.isKnown(PUMP, '192.0.2.0')).toBe(false);
    expect(book.isKnown(PUMP, '192.0.2.29')).toBe(true);
    expect(known.filter(([, , last]) => last === undefined)).toHaveLength(14);
  });
});
