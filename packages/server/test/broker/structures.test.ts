import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Branching, branch, branches, branchOut, cutBranch, hasBranches } from '../../src/broker/branches.ts';
import { Few } from '../../src/broker/few.ts';
import type { Message } from '../../src/broker/message.ts';
import { MessageQueue } from '../../src/broker/message-queue.ts';
import { type Timed, TimerWheel } from '../../src/broker/timer-wheel.ts';
import { TopicCache, type TopicEntry } from '../../src/broker/topic-cache.ts';
import { AWAITS_PUBACK, FREE, Window } from '../../src/broker/window.ts';

function entryOf(topic: string): TopicEntry {
  return { key: Buffer.from(topic), topic } as TopicEntry;
}

describe('the topic cache', () => {
  it('answers with the entry of exactly these bytes or with nothing', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 1, maxLength: 5 }), { maxLength: 200 }), (topics) => {
        const cache = new TopicCache();
        for (const topic of topics) {
          const padded = Buffer.from(`>${topic}<`);
          const found = cache.find(padded, 1, padded.length - 1);
          if (found) expect(found.topic).toBe(topic);
          else cache.add(entryOf(topic));
          expect(cache.find(padded, 1, padded.length - 1)?.topic).toBe(topic);
        }
      }),
    );
  });

  it('holds a few hundred topics at once', () => {
    const cache = new TopicCache();
    const topics = Array.from({ length: 300 }, (_, index) => `iot-2/type/pump/id/pump-${index}/evt/flow/fmt/json`);
    for (const topic of topics) cache.add(entryOf(topic));
    const kept = topics.filter((topic) => cache.find(Buffer.from(topic), 0, topic.length));
    expect(kept.length).toBeGreaterThan(200);
  });

  it('keeps no long names', () => {
    const cache = new TopicCache();
    const topic = 'x'.repeat(600);
    cache.add(entryOf(topic));
    expect(cache.find(Buffer.from(topic), 0, topic.length)).toBeUndefined();
  });
});

describe('the timer wheel', () => {
  function wheelOf(): { wheel: TimerWheel; turn: (ticks: number) => void } {
    let tick = (): void => {};
    const wheel = new TimerWheel((given) => {
      tick = given;
      return () => {};
    }, 500);
    return {
      wheel,
      turn: (ticks) => {
        for (let index = 0; index < ticks; index++) tick();
      },
    };
  }

  it('calls each thing once, not before its time and at most two ticks after', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 1_000_000 }), { maxLength: 20 }), (delays) => {
        const { wheel, turn } = wheelOf();
        turn(7);
        const called: number[] = [];
        for (const delay of delays) {
          wheel.schedule({ due: 0, slot: -1, elapsed: () => called.push(wheel.tick) }, delay);
        }
        const start = wheel.tick;
        turn(2100);
        expect(called.length).toBe(delays.length);
        const sorted = [...delays].sort((a, b) => a - b);
        for (const [index, at] of called.entries()) {
          expect((at - start) * 500).toBeGreaterThanOrEqual(sorted[index]!);
          expect((at - start) * 500).toBeLessThanOrEqual(sorted[index]! + 1000);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('forgets what was cancelled or put off', () => {
    const { wheel, turn } = wheelOf();
    const called: string[] = [];
    const thing = (name: string): Timed => ({ due: 0, slot: -1, elapsed: () => called.push(name) });
    const cancelled = thing('cancelled');
    const postponed = thing('postponed');
    wheel.schedule(cancelled, 1000);
    wheel.schedule(postponed, 1000);
    wheel.cancel(cancelled);
    wheel.schedule(postponed, 10_000);
    turn(10);
    expect(called).toEqual([]);
    turn(12);
    expect(called).toEqual(['postponed']);
  });
});

describe('the slots of the timer wheel', () => {
  it('call what is due at one tick in the order in which it came, whatever was cancelled among it', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 12 }), (kept) => {
        let tick = (): void => {};
        const wheel = new TimerWheel((given) => {
          tick = given;
          return () => {};
        }, 500);
        const called: number[] = [];
        const things = kept.map((_, index): Timed => ({ due: 0, slot: -1, elapsed: () => called.push(index) }));
        for (const thing of things) wheel.schedule(thing, 1000);
        for (const [index, thing] of things.entries()) if (!kept[index]) wheel.cancel(thing);
        for (let turn = 0; turn < 600; turn++) tick();
        expect(called).toEqual([...kept.keys()].filter((index) => kept[index]));
      }),
    );
  });
});

describe('a few things', () => {
  it('are kept as a set keeps them, however few they are', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(3)), { maxLength: 40 }), (steps) => {
        const things = [{}, {}, {}, {}];
        const few = new Few<object>();
        const model = new Set<object>();
        for (const [add, index] of steps) {
          if (add) few.add(things[index]!);
          else few.delete(things[index]!);
          if (add) model.add(things[index]!);
          else model.delete(things[index]!);
          expect(few.size).toBe(model.size);
          expect([...few]).toEqual([...model]);
          expect([...few].every((thing, at) => thing === [...model][at])).toBe(true);
        }
      }),
    );
  });
});

describe('the branches of a node', () => {
  interface Node extends Branching<Node> {
    readonly name: string;
  }
  const nodeOf = (name: string): Node => ({ name, level: undefined, only: undefined, children: undefined });

  it('are kept as a map keeps them, however few they are', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.constantFrom('a', 'b', '+', '')), { maxLength: 40 }), (steps) => {
        const node = nodeOf('root');
        const model = new Map<string, Node>();
        for (const [add, level] of steps) {
          if (add) {
            const made = branchOut(node, level, () => nodeOf(level));
            if (model.has(level)) expect(made).toBe(model.get(level));
            model.set(level, made);
          } else {
            cutBranch(node, level);
            model.delete(level);
          }
          expect(hasBranches(node)).toBe(model.size > 0);
          expect([...branches(node)].map(([name]) => name)).toEqual([...model.keys()]);
          for (const name of ['a', 'b', '+', '', 'c']) expect(branch(node, name)).toBe(model.get(name));
        }
      }),
    );
  });
});

describe('the message queue', () => {
  it('is first in, first out, and knows its bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.nat(50)), { maxLength: 400 }), (steps) => {
        const queue = new MessageQueue();
        const model: { message: Message; flags: number }[] = [];
        for (const size of steps) {
          if (size === null) {
            expect(queue.first).toBe(model[0]?.message);
            expect(queue.firstFlags).toBe(model[0]?.flags ?? 0);
            queue.shift();
            model.shift();
          } else {
            const message = { topicBytes: Buffer.alloc(1), body: Buffer.alloc(size) } as Message;
            queue.push(message, size, undefined, 0);
            model.push({ message, flags: size });
          }
          expect(queue.length).toBe(model.length);
          expect(queue.bytes).toBe(model.reduce((sum, { message }) => sum + 1 + message.body.length, 0));
        }
      }),
    );
  });
});

describe('the window of packet identifiers', () => {
  it('takes up where it was after a rest, and does not rest while something is on its way', () => {
    const window = new Window();
    const message = { topic: 'a' } as Message;
    const first = window.open(message, 5, undefined, AWAITS_PUBACK, 7);
    const unkept = window.open(undefined, 1, undefined, AWAITS_PUBACK, 0);
    window.rest();
    expect([window.state(first), window.message(first), window.flags(first), window.position(first)]).toEqual([
      AWAITS_PUBACK,
      message,
      5,
      7,
    ]);
    expect([window.state(unkept), window.message(unkept), window.flags(unkept), window.position(unkept)]).toEqual([
      AWAITS_PUBACK,
      undefined,
      1,
      0,
    ]);
    expect(window.inOrder()).toEqual([first, unkept]);
    window.close(first);
    window.close(unkept);
    window.rest();
    expect(window.state(first)).toBe(FREE);
    expect(window.inOrder()).toEqual([]);
    // An acknowledgement that comes late must not meet a new message.
    const next = window.open(message, 1, undefined, AWAITS_PUBACK, 0);
    expect([first, unkept]).not.toContain(next);
  });

  it('never gives one out twice at a time, and keeps them small', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 200 }), (steps) => {
        const window = new Window();
        const open: number[] = [];
        let most = 0;
        for (const opens of steps) {
          if (opens) {
            const packetId = window.open({} as Message, 0, undefined, AWAITS_PUBACK, 0);
            expect(open).not.toContain(packetId);
            open.push(packetId);
          } else {
            const packetId = open.shift();
            if (packetId !== undefined) window.close(packetId);
          }
          most = Math.max(most, open.length);
          expect(window.size).toBe(open.length);
          expect(window.inOrder()).toEqual(open);
        }
        expect(Math.max(0, ...window.inOrder())).toBeLessThanOrEqual(Math.max(32, most * 4));
      }),
    );
  });

  it('does not take at once what was just given back', () => {
    const window = new Window();
    const given = Array.from({ length: 20 }, () => {
      const packetId = window.open({} as Message, 0, undefined, AWAITS_PUBACK, 0);
      window.close(packetId);
      return packetId;
    });
    expect(new Set(given).size).toBe(20);
  });

  it('goes on behind what was in flight before a restart', () => {
    const window = new Window();
    window.restore(40, undefined, 0, undefined, AWAITS_PUBACK, 0);
    expect(window.open({} as Message, 0, undefined, AWAITS_PUBACK, 0)).toBe(41);
    expect(window.inOrder()).toEqual([40, 41]);
  });

  it('finds the last free one of all', () => {
    const window = new Window();
    for (let count = 0; count < 65_535; count++) window.open({} as Message, 0, undefined, AWAITS_PUBACK, 0);
    window.close(7);
    expect(window.open({} as Message, 0, undefined, AWAITS_PUBACK, 0)).toBe(7);
  });
});
