import { beforeAll, describe, expect, it } from 'vitest';
import { commandBy, DESK, guardOf, identityOf, NOW, openStore, PUMP, platform } from './guard-laboratory.ts';

let world: Awaited<ReturnType<typeof platform>>;
beforeAll(async () => {
  world = await platform();
});

describe('a principal that floods a device with commands that it does not follow', () => {
  it('does not make it flood in turn: its answers are bounded in a minute', async () => {
    const clock = { now: NOW };
    const pump = await identityOf(world.demo, PUMP);
    const lab = await guardOf(world.root, { identity: pump.identity }, clock);
    const flood = async () => {
      for (let i = 0; i < 50; i++) {
        const payload = new TextEncoder().encode(`nonsense ${i}`);
        await lab.guard.answer(await lab.judge('restart', 'cose', payload), 'cose', payload);
      }
    };
    await flood();
    expect(lab.sent).toHaveLength(20);
    clock.now += 60_000;
    await flood();
    expect(lab.sent).toHaveLength(40);
    expect(new Set(lab.sent.map(({ name }) => name))).toEqual(new Set(['sallyport-refusal']));
  });

  it('does not grow its memory: keys, revocations and numbers are bounded', async () => {
    const store = openStore();
    const lab = await guardOf(world.root, { store });
    for (let i = 0; i < 7; i++) {
      const desk = await identityOf(world.demo, DESK, { issuedAt: NOW - 100_000 + i * 1_000 });
      expect((await lab.introduce(desk.identity)).outcome).toBe('introduced');
      for (let n = 0; n < 30; n++) await lab.outcome(await commandBy(desk));
    }
    const { ring, commands } = store.content as {
      ring: { keys: unknown[] };
      commands: Record<string, { recent: number[] }>;
    };
    expect(ring.keys).toHaveLength(4);
    expect(Object.keys(commands).length).toBeLessThanOrEqual(4);
    for (const { recent } of Object.values(commands)) expect(recent.length).toBeLessThanOrEqual(64);
  });
});
