// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of templates are written like this.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type DirectoryServer, directoryServer, person } from '../directory-server.ts';
import { describeWith } from '../programs.ts';
import { type TestServer, testServer } from '../server.ts';
import { RawClient } from './raw-client.ts';

const PASSWORD = 'desk in the directory';

describeWith(['slapd', 'ldapmodify', 'openssl'], 'a directory', (programs) => {
  let directory: DirectoryServer;
  let server: TestServer;
  beforeAll(async () => {
    directory = await directoryServer(programs, {
      people: { desk: PASSWORD },
      groups: { senders: [person('desk')] },
    });
    server = await testServer({
      organisations: [
        {
          id: 'demo',
          authenticators: ['token', 'directory'],
          directory: {
            url: directory.ldapsUrl,
            caFile: directory.caFile,
            reader: directory.reader,
            readerPasswordFile: directory.readerPasswordFile,
            users: { dn: 'uid=${username},ou=people,dc=example,dc=org', principal: 'application:demo/${username}' },
            groups: {
              base: 'ou=groups,dc=example,dc=org',
              filter: '(member=${dn})',
              entry: 'uid=${id},ou=people,dc=example,dc=org',
              grants: [{ group: 'senders', grants: ['publish:iot-2/type/pump/id/+/cmd/+/fmt/+'] }],
            },
          },
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

  it.each([
    'desk,ou=people,dc=example,dc=org',
    '*',
    'desk)(uid=*',
    'x,dc=example,dc=org??',
    'uid=desk',
    'DESK ',
    'nobody',
    'desk'.repeat(100),
  ])('takes the user name %j for one value, and for nobody that exists', async (username) => {
    expect(await login(username, PASSWORD)).toBe(0x87);
  });

  it('lets a user be the principal that he stands for, and no other', async () => {
    expect(await login('desk', PASSWORD)).toBe(0);
    expect(await login('desk', PASSWORD, 'a:demo:tap')).toBe(0x85);
    expect(await login('desk', PASSWORD, 'a:other:desk')).toBe(0x87);
    expect(await login('desk', PASSWORD, 'anything')).toBe(0x87);
  });

  it('gives nothing to a principal whose name holds what means something in a filter', async () => {
    const { token, record } = await server.server.registry.applications.create({
      organisation: 'demo',
      id: 'de.sk-_',
      role: 'standard',
      by: 'system',
    });
    const { client } = await RawClient.login(server, {
      clientId: 'a:demo:de.sk-_',
      username: record.key,
      password: Buffer.from(token),
      keepAlive: 0,
    });
    client.publish('iot-2/type/pump/id/pump-7/cmd/blink/fmt/json', 'x', { qos: 1 });
    expect(await client.take('puback')).toMatchObject({ reasonCode: 0x87 });
  });

  it('is shown no password in logs, refusals or the audit trail', async () => {
    await login('desk', 'secret that is wrong');
    const { items } = await server.api.refusals({ organisation: 'demo' });
    expect(JSON.stringify([items, await server.api.audit()])).not.toContain('secret that is wrong');
  });
});
