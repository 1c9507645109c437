import { beforeAll, describe, expect, it } from 'vitest';
import { commandBy, DESK, guardOf, identityOf, NOW, platform } from './guard-laboratory.ts';

let world: Awaited<ReturnType<typeof platform>>;
let desk: Awaited<ReturnType<typeof identityOf>>;
beforeAll(async () => {
  world = await platform();
  desk = await identityOf(world.demo, DESK);
});

describe('a good command at a wrong place or time', () => {
  const guard = async (clock = { now: NOW }) => {
    const lab = await guardOf(world.root, { skew: 10_000, longestLifetime: 3_600_000 }, clock);
    await lab.introduce(desk.identity);
    return lab;
  };

  it('is not followed by another device than the one that it is for', async () => {
    const { outcome } = await guard();
    expect(await outcome(await commandBy(desk, { device: 'device:demo/pump/pump-8' }))).toBe('wrong_device');
    expect(await outcome(await commandBy(desk, { device: 'device:other/pump/pump-7' }))).toBe('wrong_device');
  });

  it('is not followed under another name, format or device in the topic', async () => {
    const { outcome } = await guard();
    const restart = await commandBy(desk);
    expect(await outcome(restart, 'erase')).toBe('wrong_topic');
    const topic = 'iot-2/type/pump/id/pump-8/cmd/restart/fmt/cose';
    expect(await outcome(await commandBy(desk, { topic }))).toBe('wrong_topic');
    expect(await outcome(restart)).toBe('valid');
  });

  it('is not followed after its end, nor before its time, nor if it would last for ever', async () => {
    const clock = { now: NOW };
    const { outcome } = await guard(clock);
    const held = await commandBy(desk, { expiresAt: NOW + 60_000 });
    clock.now = NOW + 70_000;
    expect(await outcome(held)).toBe('expired');
    clock.now = NOW;
    expect(await outcome(await commandBy(desk, { issuedAt: NOW + 11_000, expiresAt: NOW + 60_000 }))).toBe(
      'not_yet_valid',
    );
    expect(await outcome(await commandBy(desk, { expiresAt: NOW + 3_601_000 }))).toBe('lifetime_too_long');
    expect(await outcome(await commandBy(desk, { expiresAt: 8.7e15 }))).toBe('lifetime_too_long');
  });

  it('is not followed with a key that has ended meanwhile', async () => {
    const clock = { now: NOW };
    const short = await identityOf(world.demo, DESK, { notAfter: NOW + 30_000 });
    const { outcome, introduce } = await guard(clock);
    await introduce(short.identity);
    expect(await outcome(await commandBy(short))).toBe('valid');
    clock.now = NOW + 45_000;
    expect(await outcome(await commandBy(short, { issuedAt: clock.now, expiresAt: clock.now + 60_000 }))).toBe(
      'key_ended',
    );
  });
});
