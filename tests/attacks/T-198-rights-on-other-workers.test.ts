import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';
import { Placement } from '../workers.ts';
import { policy, type RawClient } from './raw-client.ts';

const EVENT = 'iot-2/evt/status/fmt/json';
const DENY = policy({ effect: 'deny', principals: ['device:demo/pump/*'], actions: ['publish'], resources: ['#'] });

let server: TestServer;
let clients: readonly { readonly client: RawClient; readonly id: string }[];
beforeEach(async () => {
  server = await testServer({
    workers: 2,
    'limits.maximumTakeoverRate': 1000,
    'limits.devices.maximumConnectRate': 1000,
  });
  const placement = new Placement(server);
  clients = [
    { id: 'pump-7', client: await placement.open(1, 'pump-7', 'd:demo:pump:pump-7') },
    { id: 'pump-8', client: await placement.open(2, 'pump-8', 'd:demo:pump:pump-8') },
  ];
});
afterEach(() => server.close());

describe.each([0, 1])('on worker %s and one', { timeout: 120_000 }, (index) => {
  it('a suspended device is out when the change is reported as done, and the other is not', async () => {
    const { id, client } = clients[index]!;
    const other = clients[1 - index]!.client;
    await server.api.devices.suspend({ organisation: 'demo', type: 'pump', id });
    client.publish(EVENT, 'too late', { qos: 1 });
    expect(await client.takeOrEnd('puback')).toBeUndefined();
    other.publish(EVENT, 'as before', { qos: 1 });
    expect((await other.take('puback')).reasonCode).toBeLessThan(0x80);
  });

  it('a policy is in force when its change is reported as done', async () => {
    const { client } = clients[index]!;
    client.publish(EVENT, 'may', { qos: 1 });
    expect((await client.take('puback')).reasonCode).toBeLessThan(0x80);
    await server.api.policies.put('demo', DENY);
    client.publish(EVENT, 'may not', { qos: 1, packetId: 2 });
    expect((await client.take('puback')).reasonCode).toBe(0x87);
  });

  it('a contained device publishes nothing more, and may again when it is released', async () => {
    const { client } = clients[index]!;
    const incident = await contain(client, clients[1 - index]!.id);
    client.publish(EVENT, 'contained', { qos: 1 });
    expect((await client.take('puback')).reasonCode).toBe(0x87);
    await server.api.incidents.release(incident);
    client.publish(EVENT, 'released', { qos: 1, packetId: 2 });
    expect((await client.take('puback')).reasonCode).toBeLessThan(0x80);
  });

  it('an address that comes onto a list is out', async () => {
    const { client } = clients[index]!;
    await server.api.lists.add('demo', 'black', { entries: [{ entry: '127.0.0.1' }] });
    await server.api.lists.use('demo', { active: 'black', force: true });
    await client.gone;
  });
});

/** The device names another again and again, which opens an incident; an operator contains it. */
async function contain(client: RawClient, other: string): Promise<string> {
  for (let count = 0; count < 6; count++) await client.subscribe(`iot-2/type/pump/id/${other}/evt/e${count}/fmt/json`);
  await expect.poll(async () => (await server.api.incidents.list()).items.length, { timeout: 30_000 }).toBe(1);
  const id = (await server.api.incidents.list()).items[0]?.id ?? '';
  await server.api.incidents.contain(id, 'read-only');
  return id;
}
