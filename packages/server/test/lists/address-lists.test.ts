import { beforeEach, describe, expect, it } from 'vitest';
import { AddressLists } from '../../src/lists/address-lists.ts';
import { SERVER_SCOPE } from '../../src/lists/list-store.ts';
import { openedRegistry } from '../registry/opened-registry.ts';

const CHANGER = { by: 'operator:ann', address: '198.51.100.1' };
const COUNTRIES: Readonly<Record<string, string>> = { '192.0.2.1': 'DE', '192.0.2.2': 'FR', '198.51.100.1': 'AT' };

let opened: Awaited<ReturnType<typeof openedRegistry>>;
let now: number;
let changed: string[];
const open = async () => {
  const lists = new AddressLists({
    store: opened.registry.addressLists,
    countryOf: (address) => COUNTRIES[address],
    now: () => now,
    onChange: async (scope) => void changed.push(scope),
  });
  await lists.load();
  return lists;
};
beforeEach(async () => {
  opened = await openedRegistry();
  await opened.registry.organisations.create({ id: 'demo', by: 'system' });
  now = 1_000_000;
  changed = [];
});

const demo = (list: 'black' | 'white') => ({ scope: 'demo', list });
const entries = (...texts: string[]) => texts.map((entry) => ({ entry }));
const passes = (lists: AddressLists, address: string) => lists.judge('demo', address).passes;

describe('lists of addresses', () => {
  it('refuse nobody until one is turned on', async () => {
    const lists = await open();
    await lists.add(demo('black'), entries('192.0.2.1'), CHANGER);
    expect(lists.judge('demo', '192.0.2.1')).toMatchObject({ passes: true, step: { outcome: 'skipped' } });
  });

  it('are on one at a time', async () => {
    const lists = await open();
    await lists.add(demo('black'), entries('192.0.2.1'), CHANGER);
    await lists.add(demo('white'), entries('192.0.2.2', '198.51.100.1'), CHANGER);
    await lists.use('demo', { active: 'black' }, CHANGER);
    expect([passes(lists, '192.0.2.1'), passes(lists, '203.0.113.9')]).toEqual([false, true]);
    await lists.use('demo', { active: 'white' }, CHANGER);
    expect(['192.0.2.1', '192.0.2.2', '203.0.113.9'].map((address) => passes(lists, address))).toEqual([
      false,
      true,
      false,
    ]);
    expect(lists.describe('demo')).toEqual({ active: 'white', unknownCountry: 'refuse', black: 1, white: 2 });
  });

  it('are the same after a restart', async () => {
    const before = await open();
    await before.add(demo('black'), [{ entry: '192.0.2.0/24', note: 'scanner' }], CHANGER);
    await before.use('demo', { active: 'black', unknownCountry: 'refuse' }, CHANGER);
    const after = await open();
    expect(after.describe('demo')).toEqual({ active: 'black', unknownCountry: 'refuse', black: 1, white: 0 });
    expect(after.judge('demo', '192.0.2.1')).toMatchObject({
      passes: false,
      step: { text: expect.stringContaining('(scanner)') },
    });
  });

  it.each([
    ['black', 'allow', ['DE', 'refused'], ['FR', 'passes'], ['unknown', 'passes']],
    ['black', 'refuse', ['DE', 'refused'], ['FR', 'passes'], ['unknown', 'refused']],
    ['white', 'allow', ['DE', 'passes'], ['FR', 'refused'], ['unknown', 'passes']],
    ['white', 'refuse', ['DE', 'passes'], ['FR', 'refused'], ['unknown', 'refused']],
  ] as const)('a %s list with a country and unknown ones set to %s', async (active, unknownCountry, ...cases) => {
    const lists = await open();
    await lists.add(demo(active), entries('de'), CHANGER);
    await lists.use('demo', { active, unknownCountry }, { ...CHANGER, force: true });
    const addresses: Readonly<Record<string, string>> = { DE: '192.0.2.1', FR: '192.0.2.2', unknown: '203.0.113.9' };
    for (const [country = '', expected] of cases) {
      expect([country, passes(lists, addresses[country] ?? '') ? 'passes' : 'refused']).toEqual([country, expected]);
    }
  });

  it('let an address in that is named itself, whatever its country', async () => {
    const lists = await open();
    await lists.add(demo('white'), entries('DE', '192.0.2.2', '198.51.100.1'), CHANGER);
    await lists.use('demo', { active: 'white' }, CHANGER);
    expect([passes(lists, '192.0.2.2'), passes(lists, '::ffff:192.0.2.2')]).toEqual([true, true]);
  });

  it('tell the scope that changed, and hold when the change is answered', async () => {
    const lists = await open();
    await lists.use('demo', { active: 'black' }, CHANGER);
    const adding = lists.add(demo('black'), entries('192.0.2.1'), CHANGER);
    await adding;
    expect(passes(lists, '192.0.2.1')).toBe(false);
    expect(changed).toEqual(['demo', 'demo']);
    await lists.remove(demo('black'), ['192.0.2.1'], CHANGER);
    expect(passes(lists, '192.0.2.1')).toBe(true);
  });

  it('take no half of what is wrong, and say which entry it is', async () => {
    const lists = await open();
    await expect(lists.add(demo('black'), entries('192.0.2.1', '192.0.2.7/24'), CHANGER)).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringContaining('192.0.2.7/24'),
    });
    await expect(lists.remove(demo('black'), ['192.0.2.1'], CHANGER)).rejects.toMatchObject({ code: 'not_found' });
    expect(lists.describe('demo')).toMatchObject({ black: 0 });
    await expect(lists.add({ scope: 'nowhere', list: 'black' }, entries('192.0.2.1'), CHANGER)).rejects.toMatchObject({
      code: 'not_found',
    });
    expect(lists.judge('nowhere', '192.0.2.1').passes).toBe(true);
  });

  it('of the server stand beside those of an organisation', async () => {
    const lists = await open();
    await lists.add({ scope: SERVER_SCOPE, list: 'black' }, entries('192.0.2.1'), CHANGER);
    await lists.use(SERVER_SCOPE, { active: 'black' }, CHANGER);
    expect([lists.judge(SERVER_SCOPE, '192.0.2.1').passes, passes(lists, '192.0.2.1')]).toEqual([false, true]);
  });

  it('an organisation that is removed takes its lists with it', async () => {
    const lists = await open();
    await lists.add(demo('black'), entries('192.0.2.1'), CHANGER);
    await lists.use('demo', { active: 'black' }, CHANGER);
    await opened.registry.organisations.remove({ id: 'demo', by: 'system' });
    lists.forget('demo');
    await opened.registry.organisations.create({ id: 'demo', by: 'system' });
    expect((await open()).describe('demo')).toMatchObject({ active: 'none', black: 0 });
  });
});
