import { describe, expect, it } from 'vitest';
import { type HabitStore, Habits } from '../../src/incidents/habits.ts';
import { habitRecords } from '../../src/registry/habit-records.ts';
import { openedRegistry } from '../registry/opened-registry.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const PUMP = 'device:demo/pump/pump-7';

/** A store that keeps nothing. */
const NOWHERE: HabitStore = { load: async () => [], save: async () => {}, remove: async () => {} };

function watched(principal = PUMP, learning = HOUR, store = NOWHERE, clock = { now: 0 }) {
  const habits = new Habits({ store, learning, factor: 8, now: () => clock.now });
  const total = { messages: 0, bytes: 0 };
  /** A minute in which it sends so much. */
  const minute = (messages: number, size = 100) => {
    clock.now += MINUTE;
    total.messages += messages;
    total.bytes += messages * size;
    return habits
      .look([{ principal, organisation: 'demo', presence: 1, ...total }])
      .map(({ rule, text }) => `${rule}: ${text}`);
  };
  return { habits, minute, clock };
}

describe('the habits of a device', () => {
  it('are told apart from an outburst, in rate and in size', () => {
    const { minute } = watched();
    for (let count = 0; count < 120; count++) expect(minute(10 + (count % 5))).toEqual([]);
    expect(minute(900)).toEqual(['unusual-rate: It sent 900 messages a minute; its habit is 12.']);
    expect(minute(12, 20_000)).toEqual(['unusual-size: Its messages had 20000 bytes on average; its habit is 100.']);
    expect(minute(12)).toEqual([]);
  });

  it('can be irregular: what is within its own spread is not unusual', () => {
    const { minute } = watched();
    for (let count = 0; count < 300; count++) expect(minute(count % 2 ? 1 : 400)).toEqual([]);
  });

  it('are learned first: nothing is unusual before', () => {
    const { minute } = watched(PUMP, 100 * HOUR);
    for (let count = 0; count < 100; count++) minute(10);
    expect(minute(10_000)).toEqual([]);
  });

  it('change in the end, but not by one outburst', () => {
    const { minute } = watched();
    for (let count = 0; count < 120; count++) minute(10);
    for (let count = 0; count < 10; count++) expect(minute(900)).toHaveLength(1);
    let minutes = 0;
    while (minute(900).length > 0 && minutes < 10_000) minutes++;
    expect(minutes).toBeGreaterThan(30);
    expect(minutes).toBeLessThan(10_000);
  });

  it('of a small device that sends a little more are nothing', () => {
    const { minute } = watched();
    for (let count = 0; count < 120; count++) minute(1, 20);
    expect(minute(50, 900)).toEqual([]);
  });

  it('are those of all its connections together, also of those that ended between two looks', () => {
    const { habits, minute, clock } = watched();
    for (let count = 0; count < 120; count++) minute(10);
    for (let presence = 2; presence < 12; presence++) {
      habits.closed({ principal: PUMP, organisation: 'demo', presence, messages: 90, bytes: 9_000 });
    }
    clock.now += MINUTE;
    expect(habits.look([]).map(({ rule }) => rule)).toEqual(['unusual-rate']);
  });

  it('are not those of gateways and applications, which speak for many', () => {
    for (const principal of ['gateway:demo/hub/hub-1', 'application:demo/desk']) {
      const { minute } = watched(principal);
      for (let count = 0; count < 120; count++) minute(10);
      expect(minute(10_000)).toEqual([]);
    }
  });
});

describe('habits on disk', () => {
  async function kept() {
    const { database } = await openedRegistry();
    const store = habitRecords(database);
    const clock = { now: 0 };
    const started = async (principal = PUMP) => {
      const one = watched(principal, HOUR, store, clock);
      await one.habits.load();
      return one;
    };
    return { store, started, database };
  }

  it('go on after a restart as if there had been none, and what was not saved is what is lost', async () => {
    const { started } = await kept();
    const first = await started();
    for (let count = 0; count < 120; count++) first.minute(10);
    await first.habits.save();
    const second = await started();
    expect(second.minute(900)).toEqual(['unusual-rate: It sent 900 messages a minute; its habit is 10.']);
    expect((await started()).minute(10)).toEqual([]);
  });

  it('do not begin the time of learning anew', async () => {
    const { started } = await kept();
    const first = await started();
    for (let count = 0; count < 40; count++) first.minute(10);
    await first.habits.save();
    const second = await started();
    for (let count = 0; count < 30; count++) second.minute(10);
    expect(second.minute(900)).toHaveLength(1);
  });

  it('are forgotten with the device, so that the next one of the name has none', async () => {
    const { started, store } = await kept();
    const first = await started();
    for (let count = 0; count < 120; count++) first.minute(10);
    await first.habits.save();
    first.habits.forget(PUMP);
    await first.habits.save();
    expect(await store.load()).toEqual([]);
    expect((await started()).minute(900)).toEqual([]);
  });

  it('are bounded: the devices that were silent longest go, from the disk too', async () => {
    const { started, store } = await kept();
    const one = await started();
    const look = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, index) => ({
        principal: `device:demo/pump/p${from + index}`,
        organisation: 'demo',
        presence: 10 + from + index,
        messages: 1,
        bytes: 100,
      }));
    one.clock.now += MINUTE;
    one.habits.look(look(0, 20_000));
    await one.habits.save();
    one.clock.now += MINUTE;
    one.habits.look(look(20_000, 20_010));
    await one.habits.save();
    const names = (await store.load()).map(({ principal }) => principal);
    expect(names).toHaveLength(20_000);
    expect(names).not.toContain('device:demo/pump/p9');
    expect(names).toContain('device:demo/pump/p20009');
  });

  it('are saved later where they could not be', async () => {
    const { started, store } = await kept();
    const one = await started();
    one.minute(10);
    const { save } = store;
    store.save = async () => {
      throw new Error('the disk is full');
    };
    await expect(one.habits.save()).rejects.toThrow('the disk is full');
    store.save = save;
    await one.habits.save();
    expect(await store.load()).toHaveLength(1);
  });

  it('that cannot be read are learned anew', async () => {
    const { started, store, database } = await kept();
    const one = await started();
    one.minute(10);
    await one.habits.save();
    await database.query.updateTable('device_habits').set({ rate: '[1,null,"x"]' }).execute();
    expect(await store.load()).toEqual([]);
    expect((await started()).minute(10)).toEqual([]);
  });
});
