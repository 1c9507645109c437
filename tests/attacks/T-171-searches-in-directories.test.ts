// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of templates are written like this.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type DirectoryServer, directoryServer } from '../directory-server.ts';
import { describeWith } from '../programs.ts';
import { type TestServer, testServer } from '../server.ts';
import { RawClient } from './raw-client.ts';

describeWith(['slapd', 'ldapmodify', 'openssl'], 'searches in a directory', (programs) => {
  let directory: DirectoryServer;
  let server: TestServer;
  beforeAll(async () => {
    directory = await directoryServer(programs, {
      people: { desk: 'desk in the directory', tap: 'tap in the directory' },
      groups: {},
      attributes: { desk: ['mail: shared@example.org'], tap: ['mail: shared@example.org'] },
    });
    const search = { base: 'ou=people,dc=example,dc=org', filter: '(|(uid=${username})(mail=${username}))' };
    const { ldapsUrl: url, caFile, reader, readerPasswordFile } = directory;
    const users = { search: { ...search, nameAttribute: 'uid' }, principal: 'application:demo/${username}' };
    server = await testServer({
      organisations: [
        {
          id: 'demo',
          authenticators: ['token', 'directory'],
          directory: { url, caFile, reader, readerPasswordFile, users },
        },
      ],
    });
  });
  afterAll(async () => {
    await server.close();
    await directory.close();
  });

  const login = async (username: string, password: string, clientId = 'a:demo:desk') =>
    (await RawClient.login(server, { clientId, username, password: Buffer.from(password), keepAlive: 0 })).code;

  it('let nobody in by a name that fits several, with the password of neither', async () => {
    expect(await login('shared@example.org', 'desk in the directory')).toBe(0x87);
    expect(await login('shared@example.org', 'tap in the directory', 'a:demo:tap')).toBe(0x87);
    // And that is no outage, however often it is tried.
    for (let round = 0; round < 8; round++) await login('shared@example.org', 'x');
    expect(await login('desk', 'desk in the directory')).toBe(0);
  });

  it.each([
    '*',
    'desk)(objectClass=*',
    'desk)(|(uid=*',
    '*)(uid=*))(|(uid=*',
    'de*k',
    '\\64esk',
    'uid=desk',
    '',
    'x'.repeat(300),
  ])('take the user name %j for one value', async (username) => {
    expect(await login(username, 'desk in the directory')).not.toBe(0);
  });

  it('never take an empty password for a proof, also where the entry was found', async () => {
    expect(await login('desk', '')).not.toBe(0);
  });

  it('show no password of reader or user in refusals and audit trail', async () => {
    await login('desk', 'a secret that is wrong');
    const { items } = await server.api.refusals({ organisation: 'demo' });
    const told = JSON.stringify([items, await server.api.audit()]);
    expect(told).not.toContain('a secret that is wrong');
    expect(told).not.toContain('reads-groups-only');
  });
});
