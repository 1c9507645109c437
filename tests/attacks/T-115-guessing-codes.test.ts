import type { Publish } from '@sallyport/mqtt';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';
import { anotherCode, CodeDesk, demandCodes, GIVE, UnlockingDevice } from '../unlock-devices.ts';

let server: TestServer;
let desk: CodeDesk;
afterEach(() => server.close());

async function start(overrides: Readonly<Record<string, unknown>> = {}): Promise<void> {
  server = await testServer(overrides);
  await demandCodes(server);
  desk = await CodeDesk.open(server);
}

describe('guessing the code', () => {
  beforeEach(() => start());

  it('ends the session after three wrong ones, and says what is left before', async () => {
    const device = await UnlockingDevice.open(server);
    expect(await device.ask()).toMatchObject({ status: 'sent', by: ['application'], digits: 6, attemptsLeft: 3 });
    const wrong = anotherCode((await desk.next()).code);
    expect(await device.give(wrong)).toEqual({ status: 'wrong', attemptsLeft: 2 });
    expect(await device.give(wrong)).toEqual({ status: 'wrong', attemptsLeft: 1 });
    expect(await device.give(wrong)).toEqual({ status: 'failed', attemptsLeft: 0 });
    expect(await device.client.take('disconnect')).toMatchObject({ reasonCode: 0x87 });
    const { items } = await server.api.refusals({ limit: 1 });
    expect(items[0]).toMatchObject({ reason: 'unlock_failed', principal: 'device:demo/pump/pump-7' });
  });

  it('gets no more tries by asking for another code', async () => {
    const device = await UnlockingDevice.open(server);
    await device.ask();
    expect(await device.give(anotherCode((await desk.next()).code))).toMatchObject({ attemptsLeft: 2 });
    expect(await device.ask()).toMatchObject({ status: 'sent', attemptsLeft: 2 });
    await desk.next();
  });

  it('with many guesses at once gets one looked at, and that one counts', async () => {
    const device = await UnlockingDevice.open(server);
    await device.ask();
    const { code } = await desk.next();
    const guesses = [...Array<string>(20).fill(anotherCode(code)), code];
    const packets = guesses.map((guess) => publishOf(JSON.stringify({ code: guess })));
    device.client.send(...packets);
    const told = [];
    for (const _ of guesses) told.push((await device.told()).status);
    expect(told.filter((status) => status === 'wrong')).toHaveLength(1);
    expect(told.filter((status) => status === 'wait')).toHaveLength(20);
  });

  it.each([[''], ['{}'], ['[]'], ['{"code":null}'], ['{"code":{"$gt":""}}'], ['{"code":["1"]}'], ['\u0000']])(
    'with %j in place of a code is a wrong try',
    async (payload) => {
      const device = await UnlockingDevice.open(server);
      await device.ask();
      await desk.next();
      device.client.publish('iot-2/evt/unlock-response/fmt/json', payload);
      expect(await device.told()).toEqual({ status: 'wrong', attemptsLeft: 2 });
    },
  );
});

it('over many sessions is bounded for the device, whoever connects as it', async () => {
  await start({ 'unlock.maximumFailures': 4, 'unlock.maximumRequests': 100 });
  const device = await UnlockingDevice.open(server);
  await device.ask();
  const wrong = anotherCode((await desk.next()).code);
  for (const status of ['wrong', 'wrong', 'failed']) expect(await device.give(wrong)).toMatchObject({ status });
  const again = await UnlockingDevice.open(server);
  await again.ask();
  const { code } = await desk.next();
  expect(await again.give(anotherCode(code))).toMatchObject({ status: 'wrong' });
  expect(await again.give(code)).toMatchObject({ status: 'wait' });
  expect(await again.ask()).toMatchObject({ status: 'wait' });
  // Others are not locked out by it.
  const other = await UnlockingDevice.open(server, 'pump-8');
  await other.ask();
  expect(await other.give((await desk.next()).code)).toEqual({ status: 'unlocked' });
});

function publishOf(payload: string): Publish {
  return { type: 'publish', topic: GIVE, payload: Buffer.from(payload), qos: 0, retain: false, dup: false };
}
