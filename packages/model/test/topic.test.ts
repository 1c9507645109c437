import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { filterCovers, parseSubscription, parseTopicFilter, parseTopicName, topicMatches } from '../src/topic.ts';

const nameLevel = fc.constantFrom('', 'a', 'b', '$a');
const names = fc
  .array(nameLevel, { minLength: 1, maxLength: 4 })
  .map((levels) => levels.join('/'))
  .filter((name) => name !== '');
const filters = fc
  .tuple(fc.array(fc.constantFrom('', 'a', 'b', '$a', '+'), { maxLength: 4 }), fc.boolean())
  .map(([levels, hash]) => [...levels, ...(hash ? ['#'] : [])].join('/'))
  .filter((filter) => filter !== '');

/** The words of the specification, level by level. */
function matchesByTheBook(filter: readonly string[], name: readonly string[], first = true): boolean {
  const [head, ...rest] = filter;
  if (head === undefined) return name.length === 0;
  if (first && name[0]?.startsWith('$') && (head === '+' || head === '#')) return false;
  if (head === '#') return true;
  if (name.length === 0) return false;
  return (head === '+' || head === name[0]) && matchesByTheBook(rest, name.slice(1), false);
}

/** "x" stands for every level that no filter here names, so that the finite universe decides containment exactly. */
const universe: string[] = [];
(function grow(levels: readonly string[]): void {
  const name = levels.join('/');
  if (levels.length > 0 && name !== '') universe.push(name);
  if (levels.length < 6) for (const level of ['', 'a', 'b', '$a', 'x']) grow([...levels, level]);
})([]);

describe('topicMatches', () => {
  it('agrees with a level by level reading of the specification', () => {
    fc.assert(
      fc.property(filters, names, (filter, name) => {
        expect(topicMatches(filter, name)).toBe(matchesByTheBook(filter.split('/'), name.split('/')));
      }),
      { numRuns: 5000 },
    );
  });

  it.each([
    ['#', '$SYS/uptime', false],
    ['+/uptime', '$SYS/uptime', false],
    ['$SYS/#', '$SYS/uptime', true],
    ['$SYS/#', '$SYS', true],
    ['a/+', 'a', false],
    ['a/+', 'a/', true],
    ['a//#', 'a/', true],
    ['+/+', '/b', true],
    ['+', '/b', false],
    ['a/#', 'a', true],
    ['a/#', 'ab', false],
    ['a/b', 'a%2fb', false],
    ['A/b', 'a/b', false],
    ['iot-2/evt/+/fmt/+', 'iot-2/evt/../fmt/json', true],
    ['a/b', 'a/./b', false],
  ])('%s and %s: %s', (filter, name, expected) => {
    expect(topicMatches(filter, name)).toBe(expected);
  });
});

describe('filterCovers', () => {
  it('says exactly whether one set of topics lies in the other', () => {
    fc.assert(
      fc.property(filters, filters, (outer, inner) => {
        const escapee = universe.find((name) => topicMatches(inner, name) && !topicMatches(outer, name));
        expect({ covers: filterCovers(outer, inner), outer, inner }).toEqual({
          covers: escapee === undefined,
          outer,
          inner,
        });
      }),
      { numRuns: 1500 },
    );
  });

  it.each([
    ['a/b', '#', false],
    ['#', '$SYS/#', false],
    ['#', '$share/x/y', false],
    ['+/#', '#', true],
    ['a/+/#', 'a/#', false],
    ['a/#', 'a/+/#', true],
    ['a/+', 'a/b', true],
    ['a/b', 'a/+', false],
    ['a/+/c', 'a/+/+', false],
    ['a/#', 'a', true],
    ['iot-2/type/+/id/+/evt/+/fmt/+', 'iot-2/type/pump/id/+/evt/+/fmt/+', true],
    ['iot-2/type/+/id/+/evt/+/fmt/+', 'iot-2/type/+/id/+/evt/#', false],
  ])('%s over %s: %s', (outer, inner, expected) => {
    expect(filterCovers(outer, inner)).toBe(expected);
  });
});

describe('parsing topics', () => {
  it('accepts what the specification allows, unchanged', () => {
    for (const text of ['a', '/', 'a//b', ' ', '$SYS/x', 'ä/😀', 'a/../b', 'a%2Fb']) {
      expect(parseTopicName(text)).toEqual({ ok: true, value: text });
    }
    for (const text of ['#', '+', 'a/#', '+/+/#', '/+', '$share/x/y']) {
      expect(parseTopicFilter(text)).toEqual({ ok: true, value: text });
    }
  });

  it('refuses wildcards in names and half-level wildcards in filters, with their position', () => {
    expect(parseTopicName('a/+')).toMatchObject({ ok: false, position: 2 });
    expect(parseTopicName('a/b#')).toMatchObject({ ok: false, position: 3 });
    expect(parseTopicFilter('a/b+')).toMatchObject({ ok: false, position: 3 });
    expect(parseTopicFilter('a+/b')).toMatchObject({ ok: false, position: 1 });
    expect(parseTopicFilter('a/#/b')).toMatchObject({ ok: false, position: 2 });
    expect(parseTopicFilter('a#')).toMatchObject({ ok: false, position: 1 });
    expect(parseTopicFilter('##')).toMatchObject({ ok: false, position: 0 });
  });

  it('refuses empty text, U+0000, lone surrogates and more than 65,535 bytes', () => {
    for (const parse of [parseTopicName, parseTopicFilter]) {
      expect(parse('')).toMatchObject({ ok: false });
      expect(parse('a\u0000b')).toMatchObject({ ok: false, position: 1 });
      expect(parse('a\ud800b')).toMatchObject({ ok: false, position: 1 });
      expect(parse('\udc00')).toMatchObject({ ok: false, position: 0 });
      expect(parse('a'.repeat(65_535))).toMatchObject({ ok: true });
      expect(parse('a'.repeat(65_536))).toMatchObject({ ok: false });
      expect(parse('😀'.repeat(16_383))).toMatchObject({ ok: true });
      expect(parse('😀'.repeat(16_384))).toMatchObject({ ok: false });
    }
  });

  it('reads the bytes of a name as UTF-8 counts them', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 30 }), (piece) => {
        fc.pre(parseTopicName(piece).ok);
        const text = piece.repeat(Math.ceil(66_000 / Buffer.byteLength(piece)));
        expect(parseTopicName(text)).toMatchObject({
          ok: false,
          problem: expect.stringContaining(`${Buffer.byteLength(text)}`),
        });
      }),
      { numRuns: 20 },
    );
  });

  it('takes a shared subscription apart and refuses a broken one', () => {
    expect(parseSubscription('$share/group/a/+')).toEqual({ ok: true, value: { share: 'group', filter: 'a/+' } });
    expect(parseSubscription('$share/group//')).toEqual({ ok: true, value: { share: 'group', filter: '/' } });
    expect(parseSubscription('a/+')).toEqual({ ok: true, value: { filter: 'a/+' } });
    expect(parseSubscription('$Share/group/a')).toEqual({ ok: true, value: { filter: '$Share/group/a' } });
    for (const broken of [
      '$share',
      '$share/',
      '$share/g',
      '$share/g/',
      '$share//a',
      '$share/g+/a',
      '$share/#/a',
      '$share/g/a#',
    ]) {
      expect(parseSubscription(broken), broken).toMatchObject({ ok: false });
    }
    expect(parseSubscription('$share/g/a#')).toMatchObject({ position: 10 });
  });
});
