import { expect, it } from 'vitest';
import { testServer } from '../server.ts';
import { RawClient } from './raw-client.ts';

it('a device that reports failed boots without end fills no more of the audit trail than a device with a fault', async () => {
  const server = await testServer();
  try {
    const pump = await RawClient.open(server, 'pump-7');
    const report = JSON.stringify({ outcome: 'stopped', stage: 'image', reason: 'digest_mismatch' });
    for (let count = 0; count < 200; count++) {
      pump.publish('iot-2/evt/boot/fmt/json', report, { qos: 1 });
      await pump.take('puback');
    }
    const rows = await server.api.audit({ type: 'firmware.boot', limit: 500 });
    expect(rows.items.length).toBeGreaterThan(0);
    expect(rows.items.length).toBeLessThanOrEqual(20);
    await pump.vanish();
  } finally {
    await server.close();
  }
});
