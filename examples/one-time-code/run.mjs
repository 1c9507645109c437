// @ts-check
import { SimulatedDevice } from '@sallyport/device/simulator';
import { example } from '../example.mjs';

await example('Somebody at the device enters a code that only its owner got', async ({ place, api, pump, say }) => {
  const { organisation, ...server } = place;
  await api.types.update({ organisation, id: pump.type }, { unlock: { mode: 'one-time-code', channels: ['console'] } });
  let tries = 0;
  const device = new SimulatedDevice({
    server,
    organisation,
    type: pump.type,
    id: pump.id,
    proof: { by: 'token', token: pump.token },
    every: 60_000,
    now: Date.now,
    random: Math.random,
    async enterCode() {
      tries += 1;
      if (tries === 1) return 'a guess';
      // The owner reads it from the console of the operator and tells it to the person at the device.
      return (await api.unlocks.makeCode(organisation, device.clientId)).code;
    },
  });
  device.on((event) => {
    if (event.kind === 'unlock') say(`  the server says: ${event.status.status}`);
  });
  await device.start();
  if (device.state.unlock?.status !== 'unlocked') throw new Error('the device is not unlocked');
  say(`✓ ${device.clientId} proved its token, and then that somebody was there`);
  await device.stop();
});
