import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { sqliteBinding } from '../../packages/server/src/storage/binding.ts';
import { type TestServer, testServer } from '../server.ts';
import { Placement } from '../workers.ts';
import { LABORATORY } from './raw-client.ts';

const SPOILED = `create trigger spoil after insert on policies begin
  update policies set text = '{"statements":[{"effect":"allow"}]}' where version = new.version; end`;

let server: TestServer;
beforeEach(async () => {
  server = await testServer({ workers: 2 });
});
afterEach(() => server.close());

it('a policy that cannot be used permits nothing on any worker once the change has been answered', {
  timeout: 120_000,
}, async () => {
  const sqlite = await sqliteBinding();
  const placement = new Placement(server);
  const clients = [
    await placement.open(1, 'pump-7', 'd:demo:pump:pump-7'),
    await placement.open(2, 'pump-8', 'd:demo:pump:pump-8'),
  ];
  await server.api.policies.put('demo', LABORATORY);
  const database = sqlite.open(join(server.directory, 'registry.db'), 5000);
  database.execute(SPOILED);
  database.close();
  await server.api.policies.put('demo', LABORATORY).catch(() => {});
  for (const client of clients) {
    client.publish('iot-2/evt/status/fmt/json', 'x', { qos: 1 });
    const answer = await client.takeOrEnd('puback');
    if (answer !== undefined) expect(answer.reasonCode).toBeGreaterThanOrEqual(0x80);
  }
});
