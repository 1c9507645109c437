import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';
import { identity, type Login, RawClient, VERSIONS } from './raw-client.ts';

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server.close());

const password = (text: string): Login => ({ password: Buffer.from(text) });
const noPassword = (login: Login): Login => {
  const { password: _, ...rest } = login;
  return rest;
};

/** Each as a change of what pump-7 would rightly send. */
const PRETENCES: Readonly<Record<string, (own: Login & { clientId: string }) => Login>> = {
  'a wrong token': (own) => ({ ...own, ...password('wrong-token-1') }),
  'an empty token': (own) => ({ ...own, ...password('') }),
  'no token': noPassword,
  'neither user name nor token': ({ clientId }) => ({ clientId }),
  'a user name alone': ({ clientId }) => ({ clientId, username: 'use-token-auth' }),
  'the token of another device': (own) => ({ ...own, ...password(server.tokens['pump-8'] ?? '') }),
  'the token of the same device of another organisation': (own) => ({
    ...own,
    ...password(server.tokens['other/pump-7'] ?? ''),
  }),
  'its token under another organisation': (own) => ({ ...own, clientId: 'd:other:pump:pump-7' }),
  'its token under an organisation that is not there': (own) => ({ ...own, clientId: 'd:nowhere:pump:pump-7' }),
  'the operator token': (own) => ({ ...own, ...password(server.operatorToken) }),
  'the token with a line break': (own) => ({
    ...own,
    password: Buffer.concat([own.password ?? Buffer.of(), Buffer.from('\n')]),
  }),
  'the token with a null': (own) => ({ ...own, password: Buffer.concat([own.password ?? Buffer.of(), Buffer.of(0)]) }),
  'the token in other case': (own) => ({ ...own, ...password(swapCase(String(own.password))) }),
  'the beginning of the token': (own) => ({ ...own, password: Buffer.from(String(own.password).slice(0, -1)) }),
  'an unknown device': (own) => ({ ...own, clientId: 'd:demo:pump:pump-9' }),
  'an unknown type': (own) => ({ ...own, clientId: 'd:demo:valve:pump-7' }),
  'the id in other case': (own) => ({ ...own, clientId: 'd:demo:pump:PUMP-7' }),
  'the class of a gateway': (own) => ({ ...own, clientId: 'g:demo:pump:pump-7' }),
  'the user name in other case': (own) => ({ ...own, username: 'Use-Token-Auth' }),
  'the user name with a space': (own) => ({ ...own, username: 'use-token-auth ' }),
  'its token as an application': (own) => ({ ...own, clientId: 'a:demo:desk' }),
  'its token without a name': (own) => ({ ...own, clientId: 'anything' }),
  'an unknown user name': (own) => ({ ...own, username: 'nobody' }),
  'an application key that is not there': (own) => ({ ...own, username: 'a-demo-0000000000' }),
  'the key of an application with a wrong token': (own) => ({ ...own, username: server.keys.desk ?? '' }),
};

describe.each(VERSIONS)('a stranger who speaks version %s', (version) => {
  it.each(Object.keys(PRETENCES))('is refused with the one coarse code when it shows %s', async (name) => {
    const pretence = PRETENCES[name]?.(identity(server, 'pump-7')) ?? {};
    const client = await RawClient.dial(server, version);
    const { reasonCode, sessionPresent, properties } = await client.connect(pretence);
    await client.gone;
    expect({ reasonCode, sessionPresent }).toEqual({ reasonCode: version === 5 ? 0x87 : 5, sessionPresent: false });
    // What is told beside the code is the ticket alone: no word that would list devices.
    if (version === 5) expect(properties).toEqual({ reasonString: expect.stringMatching(/^ticket [0-9A-Z]{6}$/) });
    expect(client.packets).toEqual([]);
  });

  it('finds the exact cause under a ticket that only operators can read', async () => {
    const { client } = await RawClient.login(
      server,
      { ...identity(server, 'pump-8'), ...password('guessed-1') },
      version,
    );
    await client.gone;
    const { items } = await server.api.refusals({ clientId: 'd:demo:pump:pump-8' });
    expect(items[0]).toMatchObject({ reason: 'wrong_secret', action: 'connect' });
  });
});

function swapCase(text: string): string {
  return [...text]
    .map((letter) => (letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase()))
    .join('');
}
