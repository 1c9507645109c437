import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sealedStore } from '@sallyport/device';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commandBy, DESK, guardOf, identityOf, openStore, platform } from './guard-laboratory.ts';

let world: Awaited<ReturnType<typeof platform>>;
let desk: Awaited<ReturnType<typeof identityOf>>;
const folder = mkdtempSync(join(tmpdir(), 'sallyport-replay-'));
beforeAll(async () => {
  world = await platform();
  desk = await identityOf(world.demo, DESK);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a principal that has recorded commands', () => {
  it('cannot send one a second time, in any order', async () => {
    const { outcome, introduce } = await guardOf(world.root);
    await introduce(desk.identity);
    const first = await commandBy(desk);
    const second = await commandBy(desk);
    expect(await outcome(first)).toBe('valid');
    expect(await outcome(first)).toBe('replayed');
    expect(await outcome(second)).toBe('valid');
    expect(await outcome(first)).toBe('replayed');
  });

  it('cannot hold one back and let it come after a later one', async () => {
    const { outcome, introduce } = await guardOf(world.root);
    await introduce(desk.identity);
    const open = await commandBy(desk);
    const close = await commandBy(desk);
    expect(await outcome(close)).toBe('valid');
    expect(await outcome(open)).toBe('out_of_order');
  });

  it('gains nothing from a device that takes late ones within bounds', async () => {
    const { outcome, introduce } = await guardOf(world.root, { tolerance: 2 });
    await introduce(desk.identity);
    const [one, two, three, four] = await Promise.all([desk, desk, desk, desk].map((each) => commandBy(each)));
    if (!one || !two || !three || !four) throw new Error('no commands');
    expect(await outcome(four)).toBe('valid');
    expect(await outcome(two)).toBe('valid');
    expect(await outcome(two)).toBe('replayed');
    expect(await outcome(three)).toBe('valid');
    expect(await outcome(one)).toBe('out_of_order');
  });

  it('cannot wait until the device starts anew', async () => {
    const store = () => sealedStore({ file: join(folder, 'memory'), secret: new Uint8Array(32).fill(1) });
    const before = await guardOf(world.root, { store: store() });
    await before.introduce(desk.identity);
    const command = await commandBy(desk);
    expect(await before.outcome(command)).toBe('valid');
    const after = await guardOf(world.root, { store: store() });
    expect(await after.outcome(command)).toBe('replayed');
    expect(await after.outcome(await commandBy(desk))).toBe('valid');
  });

  it('cannot fill the store of the device, so that it forgets', async () => {
    const store = openStore();
    const { outcome, introduce } = await guardOf(world.root, { store });
    await introduce(desk.identity);
    store.failing = true;
    expect(await outcome(await commandBy(desk))).toBe('memory_failing');
    store.failing = false;
    expect(await outcome(await commandBy(desk))).toBe('valid');
  });
});
