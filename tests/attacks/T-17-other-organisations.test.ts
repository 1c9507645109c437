import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';
import { identity, LABORATORY, RawClient, VERSIONS } from './raw-client.ts';

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
  const broad = LABORATORY.replaceAll('application:demo/lab', 'application:other/desk');
  await server.server.registry.policies.put({ organisation: 'demo', text: LABORATORY, by: 'system' });
  await server.server.registry.policies.put({ organisation: 'other', text: broad, by: 'system' });
});
afterAll(() => server.close());

const EVENT = 'iot-2/type/pump/id/pump-7/evt/status/fmt/json';
const COMMAND = 'iot-2/type/pump/id/pump-7/cmd/blink/fmt/json';

describe.each(VERSIONS)(
  'an application of another organisation that may do everything there, with version %s',
  (version) => {
    it.each([
      '#',
      '+/#',
      EVENT,
      COMMAND,
      'iot-2/type/+/id/+/evt/+/fmt/+',
      'demo/#',
      'd:demo:pump:pump-7/#',
      '$share/demo:desk/#',
      '$share/g/iot-2/#',
      'iot-2/type/+/id/+/mon',
      'iot-2/app/+/mon',
    ])('hears nothing of this one through %s', async (filter) => {
      const neighbour = await RawClient.open(server, 'other/desk', { clientId: 'spy' }, version);
      expect(await neighbour.subscribe(filter)).toBe(0);
      await neighbour.heard();
      const lab = await RawClient.open(server, 'lab', { clientId: 'spy' });
      const device = await RawClient.open(server, 'pump-7', {
        will: { topic: 'iot-2/evt/gone/fmt/json', payload: Buffer.from('will'), qos: 0, retain: false },
      });
      for (const topic of [EVENT, COMMAND, 'demo/x', 'x']) lab.publish(topic, 'ours', { retain: true });
      device.publish('iot-2/evt/status/fmt/json', 'ours');
      await Promise.all([lab.settled(), device.settled()]);
      await device.vanish();
      await lab.settled();
      expect(await neighbour.heard()).toEqual([]);
      await Promise.all([lab.vanish(), neighbour.vanish()]);
    });

    it.each([EVENT, COMMAND, 'demo/iot-2/x', `demo/${COMMAND}`, 'x'])(
      'sends nothing into this one by %s',
      async (topic) => {
        const lab = await RawClient.open(server, 'lab', { clientId: 'all' });
        await lab.subscribe('#');
        const device = await RawClient.open(server, 'pump-7');
        await device.subscribe('iot-2/cmd/+/fmt/+');
        await Promise.all([lab.heard(), device.heard()]);
        const neighbour = await RawClient.open(server, 'other/desk', { clientId: 'spy' }, version);
        for (const retain of [false, true]) neighbour.publish(topic, 'theirs', { retain, qos: 1 });
        await neighbour.settled();
        expect(await device.heard()).toEqual([]);
        expect((await lab.heard()).filter((line) => line.endsWith(' theirs'))).toEqual([]);
        await Promise.all([lab.vanish(), device.vanish(), neighbour.vanish()]);
      },
    );

    it.each(['d:demo:pump:pump-7', 'd:demo:pump:pump-99', 'g:demo:hub:hub-1', 'a:demo:desk', 'A:demo:desk:1'])(
      'does not come in under the client id %s',
      async (clientId) => {
        const { client, code } = await RawClient.login(
          server,
          { ...identity(server, 'other/desk'), clientId },
          version,
        );
        expect(code).not.toBe(0);
        await client.gone;
      },
    );

    it('shares no group of subscribers with this one', async () => {
      const ours = await RawClient.open(server, 'lab', { clientId: 'member' });
      const theirs = await RawClient.open(server, 'other/desk', { clientId: 'member' }, version);
      for (const client of [ours, theirs]) expect(await client.subscribe('$share/group/jobs/#')).toBe(0);
      for (let index = 0; index < 6; index++) ours.publish('jobs/1', String(index));
      await ours.settled();
      expect(await ours.heard()).toHaveLength(6);
      expect(await theirs.heard()).toEqual([]);
      await Promise.all([ours.vanish(), theirs.vanish()]);
    });
  },
);

it('a policy that names the principals of another organisation is not accepted', async () => {
  for (const principal of ['application:demo/lab', 'device:demo/pump/pump-7', 'operator:admin']) {
    const text = LABORATORY.replaceAll('application:demo/lab', principal).replace('{', '{"organisation":"other",');
    await expect(server.server.registry.policies.put({ organisation: 'other', text, by: 'system' })).rejects.toThrow();
  }
});
