import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';
import { TokenIssuer } from '../token-issuer.ts';
import { RawClient } from './raw-client.ts';

const clientId = 'a:demo:desk';

let server: TestServer;
let issuer: TokenIssuer;
beforeEach(async () => {
  server = await testServer({ 'limits.connectTimeout': '1s', 'limits.applications.maximumMessageRate': 20 });
  issuer = await TokenIssuer.open();
  await server.api.issuers.add('demo', {
    id: 'plant',
    issuer: issuer.url,
    audience: issuer.audience,
    jwksUrl: `${issuer.url}/jwks`,
  });
});
afterEach(async () => {
  await server.close();
  await issuer.close();
});

const auth = (data: string, authenticationMethod = 'ACCESS-TOKEN') => ({
  authenticationMethod,
  authenticationData: Buffer.from(data),
});

describe('an exchange', () => {
  it('by a method that is not offered is refused with its code, whatever password comes with it', async () => {
    for (const method of ['access-token', 'ACCESS-TOKEN ', 'PLAIN', 'x'.repeat(60_000), '']) {
      const client = await RawClient.dial(server);
      const login = { clientId, username: server.keys.desk!, password: Buffer.from(server.tokens.desk!) };
      expect((await client.connect({ ...login, properties: auth('', method) })).reasonCode, method.slice(0, 20)).toBe(
        0x8c,
      );
      await client.gone;
    }
  });

  it('with a token is one step: an answer to nothing ends the connection', async () => {
    const client = await RawClient.dial(server);
    client.send(
      {
        type: 'connect',
        protocolVersion: 5,
        cleanStart: true,
        keepAlive: 60,
        clientId,
        properties: auth(issuer.sign()),
      },
      { type: 'auth', reasonCode: 0x18, properties: auth(issuer.sign()) },
    );
    expect((await client.take('connack')).reasonCode).toBe(0);
    expect((await client.take('disconnect')).reasonCode).toBe(0x82);
    await client.gone;
  });

  it('while the doors are slow holds nothing back from the deadline', async () => {
    issuer.state = 'up';
    const client = await RawClient.dial(server);
    client.send({
      type: 'connect',
      protocolVersion: 5,
      cleanStart: true,
      keepAlive: 60,
      clientId,
      properties: auth(''),
    });
    expect((await client.take('connack')).reasonCode).toBe(0x87);
    await client.gone;
  });
});

describe('renewals without end', () => {
  it('are slowed down as a flood of messages is', async () => {
    const slowed: string[] = [];
    server.server.events.on('session.slowed', ({ refusal }) => slowed.push(refusal.principal ?? ''));
    const client = await RawClient.dial(server);
    expect((await client.connect({ clientId, properties: auth(issuer.sign()) })).reasonCode).toBe(0);
    for (let time = 0; time < 4; time++) {
      client.send({ type: 'auth', reasonCode: 0x19, properties: auth(issuer.sign()) });
      expect((await client.take('auth')).reasonCode).toBe(0);
    }
    expect(slowed).toEqual(['application:demo/desk']);
    await client.vanish();
  });

  it('are a protocol error where one has not ended yet', async () => {
    const client = await RawClient.dial(server);
    expect((await client.connect({ clientId, properties: auth(issuer.sign()) })).reasonCode).toBe(0);
    const again = { type: 'auth', reasonCode: 0x19, properties: auth(issuer.sign()) } as const;
    client.send(again, again);
    expect((await client.take('disconnect')).reasonCode).toBe(0x82);
    await client.gone;
  });
});
