import { Secret, TOTP } from 'otpauth';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';
import { demandCodes, UnlockingDevice } from '../unlock-devices.ts';

let server: TestServer;
let secret: Secret;
const pump7 = { organisation: 'demo', type: 'pump', id: 'pump-7' };
beforeEach(async () => {
  server = await testServer();
  await demandCodes(server, { channels: ['authenticator'] });
  secret = Secret.fromBase32((await server.api.devices.authenticator.create(pump7)).secret);
});
afterEach(() => server.close());

const codeNow = () => TOTP.generate({ secret });

describe('a code of an authenticator app', () => {
  it('is taken once: a second session with it fails, although its time is not over', async () => {
    const device = await UnlockingDevice.open(server);
    expect(await device.ask()).toMatchObject({ status: 'sent', by: ['authenticator'] });
    const code = codeNow();
    expect(await device.give(code)).toEqual({ status: 'unlocked' });
    await device.client.vanish();
    const again = await UnlockingDevice.open(server);
    expect(await again.give(code)).toEqual({ status: 'wrong', attemptsLeft: 2 });
  });

  it('of another device is worth nothing', async () => {
    await server.api.devices.authenticator.create({ ...pump7, id: 'pump-8' });
    const other = await UnlockingDevice.open(server, 'pump-8');
    expect(await other.give(codeNow())).toEqual({ status: 'wrong', attemptsLeft: 2 });
  });

  it('of a secret that was replaced or removed is worth nothing', async () => {
    const device = await UnlockingDevice.open(server);
    await server.api.devices.authenticator.create(pump7);
    expect(await device.give(codeNow())).toEqual({ status: 'wrong', attemptsLeft: 2 });
    await server.api.devices.authenticator.remove(pump7);
    expect(await device.give(codeNow())).toEqual({ status: 'no-code', attemptsLeft: 2 });
  });

  it('is not taken where the device type does not name the way', async () => {
    await demandCodes(server, { channels: ['console'] });
    const device = await UnlockingDevice.open(server);
    expect(await device.give(codeNow())).toEqual({ status: 'no-code', attemptsLeft: 3 });
  });

  it('is guessed no longer than codes are', async () => {
    const device = await UnlockingDevice.open(server);
    const wrong = codeNow() === '000000' ? '111111' : '000000';
    for (const status of ['wrong', 'wrong', 'failed']) expect(await device.give(wrong)).toMatchObject({ status });
    await device.client.gone;
  });
});
