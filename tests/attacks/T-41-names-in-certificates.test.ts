import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { issuedPair, knock, ownAuthority, pairOf, reasonOf } from '../certificate-clients.ts';
import { type TestServer, testServer } from '../server.ts';

const organisation = 'demo';
const clientId = 'd:demo:pump:pump-7';

let server: TestServer;
let plant: Awaited<ReturnType<typeof ownAuthority>>;
beforeAll(async () => {
  server = await testServer();
  plant = await ownAuthority();
  for (const org of [organisation, 'other']) {
    await server.api.types.update({ organisation: org, id: 'pump' }, { security: 'tls-certificate' });
  }
  await server.api.authorities.add(organisation, plant.pem);
});
afterAll(() => server.close());

describe('a principal whose certificate names somebody', () => {
  it.each([
    'd:pump:pump-8',
    'd:pump:PUMP-7',
    'd:Pump:pump-7',
    'D:pump:pump-7',
    'g:pump:pump-7',
    'd:pump:pump-7:x',
    'd:demo:pump:pump-7',
    'd:pump',
    'd::pump-7',
    'd:pump:pump-7 ',
    'd:pump:*',
    'd:pump:+',
    'd:pump:pump-',
    'pump-7',
    'a:desk',
    'a:',
    'g:pump:',
  ])('is not pump-7 by the name %j', async (commonName) => {
    expect(await reasonOf(server, { clientId, ...(await pairOf(plant, commonName)) })).toBe(
      'certificate_name_mismatch',
    );
  });

  it.each([
    ['the common name', 'd:pump:pump-7', {}],
    ['the common name of the type', 'd:pump:', {}],
    ['an email name', 'whatever', { emails: ['d:pump:pump-7'] }],
    ['a URI', 'whatever', { uris: ['d:pump:pump-7'] }],
    ['one of several names', 'd:pump:pump-8', { emails: ['d:pump:pump-7'] }],
  ] as const)('is pump-7 by %s', async (_, commonName, names) => {
    expect(await reasonOf(server, { clientId, ...(await pairOf(plant, commonName, names)) })).toBe('admitted');
  });

  it('becomes the device of its certificate where the server name says the organisation, never the one it claims', async () => {
    const pair = await pairOf(plant, 'd:pump:pump-8');
    const { code, client } = await knock(server, { clientId, serverName: 'demo.messaging.test', ...pair });
    expect(code).toBe(0);
    const { items } = await server.api.sessions.list(organisation);
    expect(items.map((one) => [one.clientId, one.principal])).toEqual([
      ['d:demo:pump:pump-8', 'device:demo/pump/pump-8'],
    ]);
    await client.endAsync(true);
  });

  it('is not let into the organisation of a neighbour, by no server name and no client id', async () => {
    const pair = await pairOf(plant, 'd:pump:pump-7');
    const neighbour = 'd:other:pump:pump-7';
    expect(await reasonOf(server, { clientId: neighbour, ...pair })).toBe('certificate_unknown_authority');
    expect(await reasonOf(server, { clientId: neighbour, serverName: 'other.messaging.test', ...pair })).toBe(
      'certificate_unknown_authority',
    );
    expect(await reasonOf(server, { clientId: neighbour, serverName: 'demo.messaging.test', ...pair })).toBe(
      'server_name_mismatch',
    );
  });

  it('is not the device of the same name of a neighbour by a certificate of this server', async () => {
    const pair = await issuedPair(server, 'device:demo/pump/pump-7');
    for (const serverName of ['localhost', 'other.messaging.test']) {
      expect(await reasonOf(server, { clientId: 'd:other:pump:pump-7', serverName, ...pair })).toBe(
        'certificate_name_mismatch',
      );
    }
  });

  it('cannot be two: a certificate and a token of different devices', async () => {
    await server.api.types.update({ organisation, id: 'pump' }, { security: 'tls-certificate-and-token' });
    const pair = await pairOf(plant, 'd:pump:');
    const token = server.tokens['pump-8'] ?? '';
    expect(await reasonOf(server, { clientId, token, ...pair })).toBe('wrong_secret');
    const name = { organisation, type: 'pump', id: 'pump-8' };
    const password = { username: 'eight', password: 'correct horse battery' };
    await server.api.devices.credentials.issue(name, { password });
    const mixed = { clientId, username: 'eight', token: password.password, ...pair };
    expect(await reasonOf(server, mixed)).toBe('proofs_disagree');
    await server.api.types.update({ organisation, id: 'pump' }, { security: 'tls-certificate' });
  });
});
