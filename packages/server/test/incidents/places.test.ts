import { describe, expect, it } from 'vitest';
import type { EventOf } from '../../src/events/events.ts';
import { Places } from '../../src/incidents/places.ts';
import { placeRecords } from '../../src/registry/place-records.ts';
import { openedRegistry } from '../registry/opened-registry.ts';

const PUMP = 'device:demo/pump/pump-7';
const COUNTRIES: Readonly<Record<string, string>> = { '192.0.2.1': 'DE', '192.0.2.2': 'FR', '192.0.2.3': 'BR' };
const DAY = 86_400_000;

async function travelling() {
  const { database } = await openedRegistry();
  const clock = { now: 1_000 };
  const store = placeRecords(database);
  const open = async () => {
    const places = new Places({
      store,
      countryOf: (address) => COUNTRIES[address],
      learning: 7 * DAY,
      onDefect: (problem) => {
        throw problem;
      },
      now: () => clock.now,
    });
    await places.load();
    return places;
  };
  const arrives = (places: Places, remoteAddress: string, more: object = {}) =>
    places
      .opened({
        principal: PUMP,
        organisation: 'demo',
        assurance: 'full',
        transport: { remoteAddress },
        ...more,
      } as EventOf<'session.opened'>)
      .map(({ text }) => text);
  return { open, arrives, clock, store };
}

describe('the countries of a device', () => {
  it('are learned, and one that comes later is new, once', async () => {
    const { open, arrives, clock } = await travelling();
    const places = await open();
    expect(arrives(places, '192.0.2.1')).toEqual([]);
    expect(arrives(places, '192.0.2.2')).toEqual([]);
    clock.now += 8 * DAY;
    expect(arrives(places, '192.0.2.2')).toEqual([]);
    expect(arrives(places, '192.0.2.3')).toEqual([
      'It connected from 192.0.2.3, which is in BR; it was only in DE, FR before.',
    ]);
    expect(arrives(places, '192.0.2.3')).toEqual([]);
    await places.close();
  });

  it('are known after a restart, and forgotten with the device', async () => {
    const { open, arrives, clock, store } = await travelling();
    const before = await open();
    arrives(before, '192.0.2.1');
    await before.close();
    clock.now += 8 * DAY;
    const after = await open();
    expect(arrives(after, '192.0.2.3')).toHaveLength(1);
    after.forget(PUMP);
    await after.close();
    expect(await store.load()).toEqual([]);
    expect(arrives(after, '192.0.2.2')).toEqual([]);
    await after.close();
  });

  it('are not those of a session that has yet to give its code, of an application, or of an address in no country', async () => {
    const { open, arrives, clock, store } = await travelling();
    const places = await open();
    arrives(places, '192.0.2.1');
    clock.now += 8 * DAY;
    expect(arrives(places, '192.0.2.3', { assurance: 'pending' })).toEqual([]);
    expect(arrives(places, '192.0.2.3', { principal: 'application:demo/desk' })).toEqual([]);
    expect(arrives(places, '10.0.0.1')).toEqual([]);
    await places.close();
    expect(await store.load()).toMatchObject([{ principal: PUMP, countries: ['DE'] }]);
  });
});
