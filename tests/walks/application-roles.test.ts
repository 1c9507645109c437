import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RawClient, VERSIONS } from '../attacks/raw-client.ts';
import { type TestServer, testServer } from '../server.ts';

const EVENT = 'iot-2/type/pump/id/pump-7/evt/status/fmt/json';
const COMMAND = 'iot-2/type/pump/id/pump-7/cmd/blink/fmt/json';
const ROLES = ['standard', 'operations', 'backend-trusted', 'data-processor', 'visualization', 'device'] as const;
type Role = (typeof ROLES)[number];

/** The rows of the table of roles that are about messages, and who may. */
const RIGHTS: readonly (readonly [string, (client: RawClient) => Promise<boolean>, readonly Role[]])[] = [
  ['publish events', (client) => publishes(client, EVENT), ['standard', 'backend-trusted', 'device']],
  ['receive events', (client) => subscribes(client, 'iot-2/type/+/id/+/evt/+/fmt/+'), ROLES],
  [
    'publish commands',
    (client) => publishes(client, COMMAND),
    ['standard', 'operations', 'backend-trusted', 'data-processor'],
  ],
  [
    'receive commands',
    (client) => subscribes(client, 'iot-2/type/+/id/+/cmd/+/fmt/+'),
    ['standard', 'backend-trusted', 'device'],
  ],
  [
    'see who is connected',
    (client) => subscribes(client, 'iot-2/type/+/id/+/mon'),
    ROLES.filter((role) => role !== 'device'),
  ],
];

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server.close());

const application = { organisation: 'demo', id: 'desk', by: 'system' };
const setRole = (role: Role) => server.server.registry.applications.update({ ...application, role });

/** An application of version 3.1.1 is disconnected for what it may not do, so each question has a connection of its own. */
async function asks(version: (typeof VERSIONS)[number], question: (client: RawClient) => Promise<boolean>) {
  const client = await RawClient.open(server, 'desk', {}, version);
  const answer = await question(client);
  await client.vanish();
  return answer;
}

async function publishes(client: RawClient, topic: string): Promise<boolean> {
  client.publish(topic, 'x', { qos: 1 });
  const answer = await client.takeOrEnd('puback');
  return answer !== undefined && answer.reasonCode < 0x80;
}

async function subscribes(client: RawClient, filter: string): Promise<boolean> {
  const code = await client.subscribe(filter);
  return code !== 'closed' && code < 0x80;
}

describe.each(VERSIONS)('applications of version %s', (version) => {
  it.each(ROLES)('in the role %s may do what the table of roles says, and nothing else', async (role) => {
    await setRole(role);
    for (const [right, question, who] of RIGHTS) {
      expect(await asks(version, question), `${role}: ${right}`).toBe(who.includes(role));
    }
  });

  it('lose what the new role does not give, at once, and have the rest when they come back', async () => {
    await setRole('standard');
    const client = await RawClient.open(server, 'desk', {}, version);
    expect(await publishes(client, COMMAND)).toBe(true);
    await setRole('visualization');
    await client.gone;
    expect(await asks(version, (back) => publishes(back, COMMAND))).toBe(false);
    expect(await asks(version, (back) => subscribes(back, 'iot-2/type/+/id/+/evt/+/fmt/+'))).toBe(true);
  });
});
