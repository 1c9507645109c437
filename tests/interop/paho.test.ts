import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { describeWith } from '../programs.ts';
import { type TestServer, testServer } from '../server.ts';
import { RunningProgram } from '../walks/sallyport-process.ts';

const CLIENT = fileURLToPath(new URL('paho-client.py', import.meta.url));
const VERSIONS = [
  ['3.1', 3],
  ['3.1.1', 4],
  ['5', 5],
] as const;

describeWith(['python3-paho-mqtt'], 'paho-mqtt', (paths) => {
  let server: TestServer;
  const running: RunningProgram[] = [];

  beforeAll(async () => {
    server = await testServer();
  });
  afterEach(() => Promise.all(running.splice(0).map((program) => program.end('SIGKILL'))));
  afterAll(() => server?.close());

  function start(options: Record<string, unknown>): RunningProgram {
    const over = options.transport === 'websockets' ? server.httpPort : server.port;
    const place = { host: server.host, port: over, ca: server.rootFile };
    const program = new RunningProgram(paths['python3-paho-mqtt'] ?? 'python3', [
      CLIENT,
      JSON.stringify({ ...place, ...options }),
    ]);
    running.push(program);
    return program;
  }
  const device = (token = server.tokens['pump-7']) => ({
    clientId: 'd:demo:pump:pump-7',
    username: 'use-token-auth',
    password: token,
  });
  const application = () => ({
    clientId: 'a:demo:desk',
    username: server.keys.desk,
    password: server.tokens.desk,
  });
  const said = (program: RunningProgram) =>
    program.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);

  describe.each(VERSIONS)('with MQTT %s', (_name, version) => {
    test.each(['tcp', 'websockets'])('carries an event over %s with TLS', async (transport) => {
      const common = { transport, version };
      const listener = start({ ...common, ...application(), subscribe: 'iot-2/type/+/id/+/evt/+/fmt/+' });
      await listener.says('"suback"');
      const publish = { topic: 'iot-2/evt/status/fmt/json', payload: '{"t":1}', qos: 1 };
      const sender = start({ ...common, ...device(), publish });
      await sender.exited;
      expect(said(sender)).toEqual([{ happened: 'connack', code: 0 }, { happened: 'published' }]);
      await listener.exited;
      expect(said(listener).at(-1)).toEqual({
        happened: 'message',
        topic: 'iot-2/type/pump/id/pump-7/evt/status/fmt/json',
        payload: '{"t":1}',
        qos: 1,
      });
    });

    test('hears that a wrong token is not authorized', async () => {
      const publish = { topic: 'iot-2/evt/status/fmt/json', payload: '{}', qos: 0 };
      const sender = start({ transport: 'tcp', version, ...device('not-the-token'), publish });
      await sender.exited;
      expect(said(sender)).toEqual([{ happened: 'connack', code: version === 5 ? 0x87 : 5 }]);
    });
  });

  test('hears that a subscription is denied', async () => {
    const listener = start({ transport: 'tcp', version: 5, ...application(), subscribe: '#' });
    await listener.says('"suback"');
    expect(said(listener).at(-1)).toEqual({ happened: 'suback', codes: [0x87] });
  });
});
