import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { describeWith } from '../programs.ts';
import { type TestServer, testServer } from '../server.ts';
import { RunningProgram } from '../walks/sallyport-process.ts';

const EVENTS = 'iot-2/type/+/id/+/evt/+/fmt/+';
const PLAIN_TOPICS = `
organisation: demo
statements:
  - id: laboratory.plain-topics
    description: Pumps and the application lab talk on plain topics.
    effect: permit
    principals: ["device:demo/pump/*", "application:demo/lab"]
    actions: [publish, subscribe, receive]
    resources: ["plain/#"]
  - id: laboratory.client-ids
    effect: permit
    principals: ["application:demo/lab"]
    actions: [connect]
    resources: ["lab-*"]
`;
// CONNACK 5 of MQTT 3.1.1; in MQTT 5 the programs exit with the reason code itself.
const REFUSED = 5;

describeWith(['mosquitto_pub', 'mosquitto_sub', 'stdbuf'], 'the clients of mosquitto', (paths) => {
  let server: TestServer;
  const running: RunningProgram[] = [];

  beforeAll(async () => {
    server = await testServer();
    await server.api.policies.put('demo', PLAIN_TOPICS);
  });
  afterEach(() => Promise.all(running.splice(0).map((program) => program.end('SIGKILL'))));
  afterAll(() => server?.close());

  const place = () => ['--cafile', server.rootFile, '-h', server.host, '-p', String(server.port)];
  const device = (id: string, token = server.tokens[id] ?? '') => {
    const clientId = id.startsWith('hub') ? `g:demo:hub:${id}` : `d:demo:pump:${id}`;
    return [...place(), '-i', clientId, '-u', 'use-token-auth', '-P', token];
  };
  const application = (id: string, clientId = `a:demo:${id}`) => [
    ...place(),
    '-i',
    clientId,
    '-u',
    server.keys[id] ?? '',
    '-P',
    server.tokens[id] ?? '',
  ];

  function start(program: string, args: readonly string[]): RunningProgram {
    // The programs keep what they print to a pipe until they end; stdbuf has them say it line by line.
    const started = new RunningProgram(paths.stdbuf ?? 'stdbuf', ['-oL', paths[program] ?? program, ...args]);
    running.push(started);
    return started;
  }
  async function publish(...args: string[]) {
    const program = start('mosquitto_pub', args);
    return { exitCode: await program.exited, out: program.out, err: program.err };
  }
  /** A subscriber whose subscription stands. */
  async function subscribe(...args: string[]): Promise<RunningProgram> {
    const subscriber = start('mosquitto_sub', ['-d', '-v', ...args]);
    await subscriber.says('Subscribed (mid: 1)');
    return subscriber;
  }

  describe.each(['mqttv31', '311', '5'])('with -V %s', (version) => {
    test.each(['0', '1', '2'])('carry an event at QoS %s', async (qos) => {
      const subscriber = await subscribe('-V', version, ...application('desk'), '-q', qos, '-t', EVENTS);
      const sent = await publish(
        ...['-V', version, ...device('pump-7'), '-q', qos],
        ...['-t', 'iot-2/evt/status/fmt/json', '-m', `{"qos":${qos}}`],
      );
      expect(sent).toMatchObject({ exitCode: 0, err: '' });
      await subscriber.says(`iot-2/type/pump/id/pump-7/evt/status/fmt/json {"qos":${qos}}`);
      expect(subscriber.out).toContain(`received PUBLISH (d0, q${qos}, r0`);
    });

    test('carry a command to the device, under its own short topic', async () => {
      const subscriber = await subscribe('-V', version, ...device('pump-7'), '-t', 'iot-2/cmd/+/fmt/+');
      await publish(
        '-V',
        version,
        ...application('desk'),
        '-t',
        'iot-2/type/pump/id/pump-7/cmd/blink/fmt/json',
        '-m',
        '3',
      );
      await subscriber.says('iot-2/cmd/blink/fmt/json 3');
    });

    test('keep a retained message for a subscriber who comes later, on a topic that the organisation permits', async () => {
      // A client id of the Watson kind would have its retain flag taken away, as there.
      const lab = ['-V', version, ...application('lab', 'lab-1'), '-r', '-t', `plain/${version}/level`];
      expect(await publish(...lab, '-q', '1', '-m', '42')).toMatchObject({ exitCode: 0 });
      const subscriber = start('mosquitto_sub', [
        '-V',
        version,
        ...application('lab'),
        '-v',
        '-C',
        '1',
        '-t',
        'plain/#',
      ]);
      expect(await subscriber.exited).toBe(0);
      expect(subscriber.out).toBe(`plain/${version}/level 42\n`);
      expect(await publish(...lab, '-q', '1', '-n')).toMatchObject({ exitCode: 0 });
    });

    test('send the will of a device that is lost, and none of a device that says goodbye', async () => {
      const subscriber = await subscribe('-V', version, ...application('lab'), '-t', 'plain/will/+');
      const will = (name: string) => ['--will-topic', `plain/will/${name}`, '--will-payload', 'lost'];
      const lost = await subscribe('-V', version, ...device('pump-7'), ...will('lost'), '-t', 'iot-2/cmd/+/fmt/+');
      await lost.end('SIGKILL');
      await subscriber.says('plain/will/lost lost');
      await publish('-V', version, ...device('pump-8'), ...will('polite'), '-t', 'plain/will/end', '-m', 'end');
      await subscriber.says('plain/will/end end');
      expect(subscriber.out).not.toContain('plain/will/polite');
    });
  });

  test.each(['mqttv31', '311'])('hear CONNACK 5 for a wrong token with -V %s', async (version) => {
    const args = ['-V', version, ...device('pump-7', 'not-the-token'), '-t', 'iot-2/evt/status/fmt/json', '-m', '{}'];
    expect(await publish(...args)).toMatchObject({ exitCode: REFUSED });
  });

  test('hear "not authorized" for a wrong token with -V 5', async () => {
    const args = ['-V', '5', ...device('pump-7', 'not-the-token'), '-t', 'iot-2/evt/status/fmt/json', '-m', '{}'];
    expect(await publish(...args)).toMatchObject({ exitCode: 0x87 });
  });

  test('hear of a denied publish and its ticket with -V 5', async () => {
    const { err, exitCode } = await publish(
      ...['-V', '5', ...device('pump-7'), '-q', '1', '-t', 'elsewhere', '-m', 'x'],
    );
    expect(exitCode).toBe(0);
    expect(err).toContain('Publish 1 failed');
    const [, ticket = ''] = /ticket ([0-9A-Z]{6})/.exec(err) ?? [];
    expect(await server.api.explainTicket(ticket)).toMatchObject({
      reason: 'topic_not_permitted',
      principal: 'device:demo/pump/pump-7',
      cure: expect.stringContaining('nearest permitted: '),
    });
  });

  test('lose the connection for a denied publish with -V 311', async () => {
    const program = start('mosquitto_pub', ['-V', '311', ...device('pump-7'), '-q', '1', '-t', 'elsewhere', '-m', 'x']);
    expect(await program.exited).not.toBe(0);
  });

  test('are told that a subscription is denied', async () => {
    const program = start('mosquitto_sub', ['-V', '5', ...application('desk'), '-t', '#']);
    await program.exited;
    expect(program.err).toContain('All subscription requests were denied');
  });

  test('are told when a will would go where the device may not publish', async () => {
    const will = ['--will-topic', 'elsewhere', '--will-payload', 'x'];
    const args = ['-V', '311', ...device('pump-7'), ...will, '-t', 'iot-2/evt/status/fmt/json', '-m', '{}'];
    expect(await publish(...args)).toMatchObject({ exitCode: REFUSED });
    const [refusal] = (await server.api.refusals({ limit: 1 })).items;
    expect(refusal).toMatchObject({ action: 'will', resource: 'elsewhere' });
  });

  test('publish as a gateway for an attached device and hear its commands', async () => {
    const subscriber = await subscribe(...application('desk'), '-t', EVENTS);
    const gateway = await subscribe(...device('hub-1'), '-t', 'iot-2/type/+/id/+/cmd/+/fmt/+');
    await publish(...application('tap'), '-t', 'iot-2/type/pump/id/pump-7/cmd/blink/fmt/json', '-m', '{"times":3}');
    await gateway.says('iot-2/type/pump/id/pump-7/cmd/blink/fmt/json {"times":3}');
    await gateway.end('SIGTERM');
    const sent = await publish(
      ...[...device('hub-1'), '-q', '1', '-t', 'iot-2/type/pump/id/pump-7/evt/status/fmt/json', '-m', '{"by":"hub"}'],
    );
    expect(sent).toMatchObject({ exitCode: 0 });
    await subscriber.says('iot-2/type/pump/id/pump-7/evt/status/fmt/json {"by":"hub"}');
  });

  test('come in with a token that was issued a moment ago, and no more once it is revoked', async () => {
    const name = { organisation: 'demo', type: 'pump', id: 'pump-8' };
    const { token, credential } = await server.api.devices.credentials.issue(name, {});
    const event = ['-t', 'iot-2/evt/status/fmt/json', '-m', '{}'];
    expect(await publish(...device('pump-8', token), ...event)).toMatchObject({ exitCode: 0 });
    await server.api.devices.credentials.revoke(name, credential.id);
    expect(await publish(...device('pump-8', token), ...event)).toMatchObject({ exitCode: REFUSED });
  });
});
