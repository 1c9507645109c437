// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of templates are written like this.
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type DirectoryServer, directoryServer, person } from '../directory-server.ts';
import { describeWith } from '../programs.ts';
import { type TestServer, testServer } from '../server.ts';
import { RawClient } from './raw-client.ts';

describeWith(['slapd', 'ldapwhoami', 'openssl'], 'a directory that lets nobody in as nobody', (programs) => {
  let directory: DirectoryServer;
  let server: TestServer;
  beforeAll(async () => {
    directory = await directoryServer(programs, { people: { desk: 'right' }, groups: {} });
    server = await testServer({
      organisations: [
        {
          id: 'demo',
          authenticators: ['directory', 'token'],
          directory: {
            url: directory.ldapsUrl,
            caFile: directory.caFile,
            users: { dn: 'uid=${username},ou=people,dc=example,dc=org', principal: 'application:demo/${username}' },
          },
        },
      ],
    });
  });
  afterAll(async () => {
    await server.close();
    await directory.close();
  });

  const code = async (password: Uint8Array | undefined) =>
    (
      await RawClient.login(server, {
        clientId: 'a:demo:desk',
        username: 'desk',
        ...(password === undefined ? {} : { password }),
        keepAlive: 0,
      })
    ).code;

  it('takes a name without a password for nobody: this is the trap', () => {
    const answer = execFileSync(
      programs.ldapwhoami ?? '',
      ['-x', '-H', directory.ldapUrl, '-D', person('desk'), '-w', ''],
      { encoding: 'utf8' },
    );
    expect(answer.trim()).toBe('anonymous');
  });

  it('lets nobody in with an empty password, or none', async () => {
    expect(await code(Buffer.from('right'))).toBe(0);
    expect(await code(Buffer.alloc(0))).toBe(0x87);
    expect(await code(undefined)).toBe(0x87);
  });

  it.each([
    Buffer.from([0]),
    Buffer.from([0xff, 0xfe]),
    Buffer.from(' '),
    Buffer.from('right\0'),
    Buffer.alloc(60_000, 97),
  ])('lets nobody in with %j', async (password) => {
    expect(await code(password)).toBe(0x87);
  });

  it('trusts no directory whose certificate leads elsewhere', async () => {
    const careful = await testServer({
      organisations: [
        {
          id: 'demo',
          authenticators: ['directory', 'token'],
          directory: {
            url: directory.ldapsUrl,
            caFile: server.rootFile,
            users: { dn: 'uid=${username},ou=people,dc=example,dc=org', principal: 'application:demo/${username}' },
          },
        },
      ],
    });
    try {
      const login = { clientId: 'a:demo:desk', username: 'desk', password: Buffer.from('right'), keepAlive: 0 };
      expect((await RawClient.login(careful, login)).code).toBe(0x88);
    } finally {
      await careful.close();
    }
  });
});
