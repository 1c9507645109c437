import { connectAsync } from 'mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';
import { TokenIssuer } from '../token-issuer.ts';

let server: TestServer;
let issuer: TokenIssuer;
beforeAll(async () => {
  server = await testServer();
  issuer = await TokenIssuer.open('EdDSA');
  const body = { id: 'plant', issuer: issuer.url, audience: issuer.audience, jwksUrl: `${issuer.url}/jwks` };
  await server.api.issuers.add('demo', body);
});
afterAll(async () => {
  await server.close();
  await issuer.close();
});

describe('MQTT.js', () => {
  it('logs in with an access token as authentication data', async () => {
    const auth = (token: string) => ({ authenticationMethod: 'ACCESS-TOKEN', authenticationData: Buffer.from(token) });
    const client = await connectAsync(`mqtts://localhost:${server.port}`, {
      ca: server.rootPem,
      protocolVersion: 5,
      clientId: 'a:demo:desk',
      reconnectPeriod: 0,
      properties: auth(issuer.sign()),
    });
    await client.publishAsync('iot-2/type/pump/id/pump-7/cmd/blink/fmt/json', '{}', { qos: 1 });
    const [session] = (await server.api.sessions.list('demo')).items;
    expect(session).toMatchObject({ principal: 'application:demo/desk', connected: true });
    await client.endAsync();
  });
});
