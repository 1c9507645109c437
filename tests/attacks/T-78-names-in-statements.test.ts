import { afterAll, beforeAll, expect, it } from 'vitest';
import { type DatabaseServer, databaseServer } from '../database-server.ts';
import { describeWith } from '../programs.ts';
import { type TestServer, testServer } from '../server.ts';
import { RawClient } from './raw-client.ts';

const COMMAND = 'iot-2/type/pump/id/pump-7/cmd/blink/fmt/json';
const GRANT = 'publish:iot-2/type/pump/id/+/cmd/+/fmt/+';

describeWith(['initdb', 'postgres'], 'grants from a database', (programs) => {
  let database: DatabaseServer;
  let server: TestServer;
  beforeAll(async () => {
    database = await databaseServer(programs);
    await database.run('insert into grants values ($1, $2)', ['application:demo/desk', GRANT]);
    server = await open();
  }, 120_000);
  afterAll(async () => {
    await server.close();
    await database.close();
  });

  const open = (more: object = {}) =>
    testServer({
      organisations: [
        {
          id: 'demo',
          database: {
            host: '127.0.0.1',
            port: database.port,
            database: 'postgres',
            user: 'reader',
            passwordFile: database.passwordFile,
            query: 'select grant_text from grants where principal = $1',
            lifetime: '1s',
            ...more,
          },
        },
      ],
    });
  async function publishes(client: RawClient): Promise<boolean> {
    client.publish(COMMAND, 'x', { qos: 1 });
    return ((await client.takeOrEnd('puback'))?.reasonCode ?? 0x80) < 0x80;
  }
  async function code(of: TestServer, who: string): Promise<number> {
    const login = {
      clientId: `a:demo:${who}`,
      username: of.keys[who] ?? '',
      password: Buffer.from(of.tokens[who] ?? ''),
    };
    return (await RawClient.login(of, { ...login, keepAlive: 0 })).code;
  }

  it('give what the rows of a principal say, and nothing to others', async () => {
    const desk = await RawClient.open(server, 'desk');
    expect(await publishes(desk)).toBe(true);
    expect(await desk.subscribe('iot-2/type/+/id/+/evt/+/fmt/+')).toBe(0x87);
    expect(await publishes(await RawClient.open(server, 'tap'))).toBe(false);
  });

  it('are asked for by names that cannot hold a quote, as bound parameters', async () => {
    for (const id of ["x'.or.'1", "desk'--"]) {
      await expect(server.api.applications.create({ organisation: 'demo', id })).rejects.toThrow();
    }
  });

  it('cannot be changed through the server, by a statement that writes', async () => {
    await database.run('grant insert on grants to reader');
    const writing =
      "select set_config('x.y', (with added as (insert into grants values ($1, 'publish:#') returning 1) select '1'), false)";
    const careless = await open({ query: writing });
    try {
      expect(await code(careless, 'desk')).toBe(0x88);
      expect(await database.run("select 1 from grants where grant_text = 'publish:#'")).toEqual([]);
    } finally {
      await careless.close();
    }
  });

  it('let nobody in when a row is no grant, or the statement takes too long', async () => {
    await database.run('insert into grants values ($1, $2)', ['application:demo/tap', 'everything']);
    const strange = await open();
    const slow = await open({
      query: 'select grant_text from grants, pg_sleep(30) where principal = $1',
      timeout: '200ms',
    });
    try {
      expect(await code(strange, 'tap')).toBe(0x88);
      expect(await code(strange, 'desk')).toBe(0);
      expect(await code(slow, 'desk')).toBe(0x88);
    } finally {
      await strange.close();
      await slow.close();
    }
  });

  it('count for their stated time beyond an outage, and then nobody is let in', async () => {
    const patient = await open({ lifetime: '1s', outageLifetime: '1h' });
    try {
      const [calm, strict] = [await RawClient.open(patient, 'desk'), await RawClient.open(server, 'desk')];
      await database.stop();
      await strict.gone;
      expect(await code(server, 'desk')).toBe(0x88);
      expect(await publishes(calm)).toBe(true);
      expect(await code(patient, 'desk')).toBe(0);
      expect(await code(patient, 'lab')).toBe(0x88);
      await database.start();
    } finally {
      await patient.close();
    }
  });
});
