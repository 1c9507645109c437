import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type TestServer, testServer } from '../server.ts';

describe.each([4, 5] as const)('mqtt.js with protocol version %i', (protocolVersion) => {
  describe.each(['TLS', 'WebSocket'])('over %s', (transport) => {
    let server: TestServer;
    const connected: MqttClient[] = [];

    beforeAll(async () => {
      server = await testServer();
    });
    afterEach(() => Promise.all(connected.splice(0).map((client) => client.endAsync(true))));
    afterAll(() => server?.close());

    const address = () =>
      transport === 'TLS' ? `mqtts://localhost:${server.port}` : `wss://localhost:${server.httpPort}/mqtt`;
    async function connect(options: IClientOptions): Promise<MqttClient> {
      const client = await mqtt.connectAsync(
        address(),
        { ca: server.rootPem, protocolVersion, reconnectPeriod: 0, ...options },
        false,
      );
      connected.push(client);
      return client;
    }
    const device = (id: string, more: IClientOptions = {}) =>
      connect({
        clientId: `d:demo:pump:${id}`,
        username: 'use-token-auth',
        password: server.tokens[id] ?? '',
        ...more,
      });
    const application = (id: string) =>
      connect({ clientId: `a:demo:${id}`, username: server.keys[id] ?? '', password: server.tokens[id] ?? '' });
    const firstMessage = (client: MqttClient) =>
      new Promise<[string, string]>((resolve) => {
        client.once('message', (topic, payload) => resolve([topic, payload.toString()]));
      });

    test.each([0, 1, 2] as const)('carries an event and a command at QoS %i', async (qos) => {
      const desk = await application('desk');
      const pump = await device('pump-7');
      await desk.subscribeAsync('iot-2/type/pump/id/+/evt/+/fmt/+', { qos });
      await pump.subscribeAsync('iot-2/cmd/+/fmt/+', { qos });
      const event = firstMessage(desk);
      await pump.publishAsync('iot-2/evt/status/fmt/json', '{"t":1}', { qos });
      expect(await event).toEqual(['iot-2/type/pump/id/pump-7/evt/status/fmt/json', '{"t":1}']);
      const command = firstMessage(pump);
      await desk.publishAsync('iot-2/type/pump/id/pump-7/cmd/blink/fmt/json', '3', { qos });
      expect(await command).toEqual(['iot-2/cmd/blink/fmt/json', '3']);
    });

    test('hears that a wrong token is not authorized, and in MQTT 5 the ticket', async () => {
      const refused = await device('pump-7', { password: 'not-the-token' }).catch((error: unknown) => error);
      expect(refused).toMatchObject({ code: protocolVersion === 5 ? 0x87 : 5 });
      const [refusal] = (await server.api.refusals({ limit: 1 })).items;
      expect(refusal).toMatchObject({ reason: 'wrong_secret', clientId: 'd:demo:pump:pump-7' });
    });

    test('hears that it may not subscribe to everything', async () => {
      const desk = await application('desk');
      const refused = await desk.subscribeAsync('#').catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(Error);
    });

    test('loses the older connection to a newer one with the same client id', async () => {
      const older = await device('pump-8');
      const closed = new Promise<void>((resolve) => older.once('close', () => resolve()));
      const newer = await device('pump-8');
      await closed;
      expect(newer.connected).toBe(true);
    });
  });
});

test('mqtt.js refuses a server whose root it was not given', async () => {
  const server = await testServer();
  try {
    const options = { clientId: 'd:demo:pump:pump-7', reconnectPeriod: 0 };
    const refused = mqtt.connectAsync(`mqtts://localhost:${server.port}`, options, false);
    await expect(refused).rejects.toThrow(/certificate/);
  } finally {
    await server.close();
  }
});
