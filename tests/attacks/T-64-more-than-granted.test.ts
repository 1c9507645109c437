import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';
import { TokenIssuer } from '../token-issuer.ts';
import { RawClient } from './raw-client.ts';

const clientId = 'd:demo:pump:pump-7';
const STATUS = 'iot-2/evt/status/fmt/json';

let server: TestServer;
let issuer: TokenIssuer;
beforeAll(async () => {
  server = await testServer();
  issuer = await TokenIssuer.open();
  await server.api.issuers.add('demo', {
    id: 'plant',
    issuer: issuer.url,
    audience: issuer.audience,
    jwksUrl: `${issuer.url}/jwks`,
    principal: 'device:{sub}',
  });
});
afterAll(async () => {
  await server.close();
  await issuer.close();
});

const auth = (scope: string, more: object = {}) => ({
  authenticationMethod: 'ACCESS-TOKEN',
  authenticationData: Buffer.from(issuer.sign({ sub: 'pump/pump-7', scope, ...more })),
});

async function enter(scope: string, more: object = {}, will?: string): Promise<{ client: RawClient; code: number }> {
  const client = await RawClient.dial(server);
  const answer = await client.connect({
    clientId,
    properties: auth(scope, more),
    ...(will === undefined ? {} : { will: { topic: will, payload: Buffer.from('gone'), qos: 0, retain: false } }),
  });
  return { client, code: answer.reasonCode };
}

async function published(client: RawClient, topic: string): Promise<boolean> {
  client.publish(topic, '{}', { qos: 1 });
  return (await client.take('puback')).reasonCode < 0x80;
}

describe('the bearer of a token', () => {
  it('publishes what its scopes name and nothing else that the policy permits', async () => {
    const { client } = await enter('mqtt:publish:iot-2/evt/status/fmt/json');
    expect(await published(client, STATUS)).toBe(true);
    for (const topic of [
      'iot-2/evt/other/fmt/json',
      'iot-2/evt/status/fmt/text',
      'iot-2/type/pump/id/pump-8/evt/status/fmt/json',
    ]) {
      expect(await published(client, topic), topic).toBe(false);
    }
    await client.vanish();
  });

  it('gets nothing by scopes that the policy does not permit', async () => {
    const { client } = await enter('mqtt:publish:%23 mqtt:subscribe:%23');
    expect(await published(client, 'elsewhere')).toBe(false);
    expect(await client.subscribe('#')).toBeGreaterThanOrEqual(0x80);
    expect(await published(client, STATUS)).toBe(true);
    await client.vanish();
  });

  it('subscribes to no more than one grant contains, not even to the union of two', async () => {
    const { client } = await enter('mqtt:subscribe:iot-2/cmd/a/fmt/%2B mqtt:subscribe:iot-2/cmd/b/fmt/%2B');
    expect(await client.subscribe('iot-2/cmd/a/fmt/json')).toBe(0);
    expect(await client.subscribe('iot-2/cmd/+/fmt/json')).toBeGreaterThanOrEqual(0x80);
    expect(await client.subscribe('iot-2/cmd/+/fmt/+')).toBeGreaterThanOrEqual(0x80);
    await client.vanish();
  });

  it('leaves no will where it may not publish', async () => {
    const { client, code } = await enter('mqtt:subscribe:iot-2/cmd/%2B/fmt/%2B', {}, STATUS);
    expect(code).toBe(0x87);
    await client.gone;
  });

  it('has rights by authorization details as by scopes', async () => {
    const details = [{ type: 'mqtt', actions: ['publish'], topics: [STATUS] }];
    const { client } = await enter('openid', { authorization_details: details });
    expect(await published(client, STATUS)).toBe(true);
    expect(await published(client, 'iot-2/evt/other/fmt/json')).toBe(false);
    await client.vanish();
  });

  it('loses by a renewal what the new token does not grant: subscriptions, messages and the will', async () => {
    const wide = 'mqtt:publish:iot-2/evt/%2B/fmt/json mqtt:subscribe:iot-2/cmd/%2B/fmt/%2B';
    const { client } = await enter(wide, {}, STATUS);
    expect(await client.subscribe('iot-2/cmd/a/fmt/json')).toBe(0);
    const tap = await RawClient.open(server, 'tap');
    await tap.subscribe('iot-2/type/pump/id/pump-7/evt/+/fmt/+');
    client.send({ type: 'auth', reasonCode: 0x19, properties: auth('mqtt:publish:iot-2/evt/other/fmt/json') });
    expect((await client.take('auth')).reasonCode).toBe(0);
    expect(await published(client, STATUS)).toBe(false);
    expect(await published(client, 'iot-2/evt/other/fmt/json')).toBe(true);
    const desk = await RawClient.open(server, 'desk');
    desk.publish('iot-2/type/pump/id/pump-7/cmd/a/fmt/json', '{}', { qos: 1 });
    await desk.take('puback');
    await desk.settled();
    expect(await client.heard()).toEqual([]);
    await client.vanish();
    await desk.settled();
    expect((await tap.heard()).filter((line) => line.endsWith('gone'))).toEqual([]);
  });

  it('is told by the ticket what was granted, and what comes nearest', async () => {
    const { client } = await enter('mqtt:publish:iot-2/evt/status/fmt/json');
    client.publish('iot-2/evt/state/fmt/json', '{}', { qos: 1 });
    const ticket = (await client.take('puback')).properties?.reasonString?.replace('ticket ', '') ?? '';
    const refusal = await server.api.explainTicket(ticket);
    expect(refusal.reason).toBe('not_granted');
    expect(refusal.cure).toContain(STATUS);
    expect(JSON.stringify(refusal)).not.toContain('eyJ');
    await client.vanish();
  });
});
