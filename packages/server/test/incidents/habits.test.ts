import { describe, expect, it } from 'vitest';
import { Habits } from '../../src/incidents/habits.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const PUMP = 'device:demo/pump/pump-7';

function watched(principal = PUMP, learning = HOUR) {
  const clock = { now: 0 };
  const habits = new Habits({ learning, factor: 8, now: () => clock.now });
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
