import { afterEach, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';
import { CodeDesk, demandCodes, UnlockingDevice } from '../unlock-devices.ts';

let server: TestServer;
afterEach(() => server.close());

it('a device that asks without end makes no more codes than it may, over all its sessions', async () => {
  server = await testServer({ 'unlock.maximumRequests': 3 });
  await demandCodes(server);
  const desk = await CodeDesk.open(server);
  const device = await UnlockingDevice.open(server);
  for (let request = 0; request < 3; request++) {
    expect(await device.ask()).toMatchObject({ status: 'sent' });
    await desk.next();
  }
  const told = await device.ask();
  expect(told).toMatchObject({ status: 'wait', retryAfter: expect.any(Number) });
  expect(told.retryAfter).toBeGreaterThan(0);
  await device.client.vanish();
  const again = await UnlockingDevice.open(server);
  expect(await again.ask()).toMatchObject({ status: 'wait' });
  // Another device has its own measure.
  const other = await UnlockingDevice.open(server, 'pump-8');
  expect(await other.ask()).toMatchObject({ status: 'sent' });
  const rows = (await server.api.audit({ type: 'unlock.refused' })).items;
  expect(rows.map(({ details }) => details?.cause)).toEqual(['too-many-requests', 'too-many-requests']);
});
