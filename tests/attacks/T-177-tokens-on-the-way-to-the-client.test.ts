import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { connectDevice, type DeviceOptions } from '@sallyport/device';
import type { Packet } from 'mqtt-packet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scriptedServer } from '../../packages/device/test/scripted-server.ts';
import { type TestServer, testServer } from '../server.ts';

/*
 * Somebody plays the authorization server of a program, or sends it elsewhere with its secret.
 */

const SECRET = 'Quiet-River+42';
let server: TestServer;
let other: TestServer;
let heard: { readonly url: string; readonly text: string }[] = [];
let answer: { status: number; headers?: Record<string, string>; body: string } = { status: 200, body: '' };
let endpoint: Server;
beforeAll(async () => {
  [server, other] = await Promise.all([testServer(), testServer()]);
  const pki = (name: string) => readFileSync(join(server.directory, 'pki', name));
  endpoint = createServer({ key: pki('server-key.pem'), cert: pki('server.pem') }, (request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      heard.push({ url: request.url ?? '', text: `${request.headers.authorization} ${body}` });
      response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers }).end(answer.body);
    });
  });
  await new Promise<void>((resolve) => endpoint.listen(0, 'localhost', resolve));
});
afterAll(async () => {
  await new Promise((resolve) => endpoint.close(resolve));
  await server.close();
  await other.close();
});

const port = () => (endpoint.address() as AddressInfo).port;
const connect = (more: Partial<DeviceOptions> = {}, ca = server.rootFile) => {
  heard = [];
  const accessToken = {
    tokenEndpoint: `https://localhost:${port()}/token`,
    clientId: 'pump-7',
    clientSecret: SECRET,
    ca,
  };
  const place = { host: 'localhost', port: server.port, ca: server.rootFile };
  return connectDevice({ ...place, organisation: 'demo', type: 'pump', id: 'pump-7', accessToken, ...more });
};

describe('an authorization server that is not the right one', () => {
  it('gets no secret over a certificate that is not trusted', async () => {
    await expect(connect({}, other.rootFile)).rejects.toMatchObject({ code: 'server_not_trusted' });
    expect(heard).toEqual([]);
  });

  it('cannot send the client elsewhere with its secret', async () => {
    for (const status of [301, 302, 307, 308]) {
      answer = { status, headers: { location: `https://localhost:${port()}/elsewhere` }, body: '' };
      await expect(connect()).rejects.toMatchObject({ code: 'token_unavailable' });
      expect(heard.map(({ url }) => url)).toEqual(['/token']);
    }
  });

  it.each([
    ['an answer without end', `{"access_token":"${'x'.repeat(300_000)}"}`],
    ['no JSON', '<html>'],
    ['a token of line breaks', JSON.stringify({ access_token: 'a\r\nb', expires_in: 60 })],
    ['a token that is no text', JSON.stringify({ access_token: { a: 1 } })],
    ['nothing', ''],
  ])('is not believed with %s', async (_, body) => {
    answer = { status: 200, body };
    await expect(connect()).rejects.toMatchObject({ code: 'token_unavailable' });
  });

  it.each([0, -5, 0.001, 'never', 1e300, null])(
    'does not make a client ask without pause by an end of %j',
    async (end) => {
      const mqtt = await scriptedServer((packet, peer) => {
        if (packet.cmd === 'connect') {
          const properties = { authenticationMethod: 'ACCESS-TOKEN' };
          peer.send({ cmd: 'connack', sessionPresent: false, reasonCode: 0, properties });
        }
      });
      answer = { status: 200, body: JSON.stringify({ access_token: 'abc', expires_in: end }) };
      const device = await connect({ port: mqtt.port, ca: mqtt.ca });
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(heard).toHaveLength(1);
      await device.close();
      await mqtt.close();
    },
  );

  it('finds neither secret nor token in what the program is told', async () => {
    answer = { status: 400, body: JSON.stringify({ error: 'invalid_client', error_description: SECRET }) };
    const failure: unknown = await connect().catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'token_refused' });
    expect(`${String(failure)} ${JSON.stringify(failure)} ${String((failure as Error).cause)}`).not.toContain(SECRET);
  });
});

describe('a server that gets a token', () => {
  it('cannot make the client renew in clear, nor say yes to what was not asked', async () => {
    const sent: Packet[] = [];
    const mqtt = await scriptedServer((packet, peer) => {
      sent.push(packet);
      const properties = { authenticationMethod: 'ACCESS-TOKEN' };
      if (packet.cmd === 'connect') {
        peer.send({ cmd: 'connack', sessionPresent: false, reasonCode: 0, properties });
        peer.send({ cmd: 'auth', reasonCode: 0, properties });
      }
    });
    const device = await connectDevice({
      ...{ host: 'localhost', port: mqtt.port, ca: mqtt.ca, organisation: 'demo', type: 'pump', id: 'pump-7' },
      accessToken: () => 'abc',
    }).catch((error: unknown) => error as Error);
    const end = 'closed' in (device as object) ? await (device as { closed: Promise<unknown> }).closed : device;
    expect(end).toMatchObject({ code: 'server_not_proven' });
    expect(sent.map(({ cmd }) => cmd)).toEqual(['connect']);
    await mqtt.close();
  });
});
