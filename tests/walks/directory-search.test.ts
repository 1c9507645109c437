// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of templates are written like this.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RawClient } from '../attacks/raw-client.ts';
import { type DirectoryServer, directoryServer } from '../directory-server.ts';
import { describeWith } from '../programs.ts';
import { type TestServer, testServer } from '../server.ts';

const BASE = 'ou=people,dc=example,dc=org';
const SEARCH = { base: BASE, filter: '(&(objectClass=inetOrgPerson)(|(uid=${username})(mail=${username})))' };

describeWith(['slapd', 'ldapmodify', 'openssl'], 'logins by a search in a directory', (programs) => {
  let directory: DirectoryServer;
  let server: TestServer;
  const settings = (more: object = {}, search: object = {}) => ({
    organisations: [
      {
        id: 'demo',
        authenticators: ['token', 'directory'],
        directory: {
          url: directory.ldapsUrl,
          caFile: directory.caFile,
          reader: directory.reader,
          readerPasswordFile: directory.readerPasswordFile,
          users: {
            search: { ...SEARCH, nameAttribute: 'uid', ...search },
            principal: 'application:demo/${username}',
          },
          ...more,
        },
      },
    ],
  });
  beforeAll(async () => {
    directory = await directoryServer(programs, {
      people: { desk: 'desk in the directory', tap: 'tap in the directory', lab: 'lab in the directory' },
      groups: {},
      attributes: {
        desk: ['mail: ann@example.org', 'mail: shared@example.org'],
        tap: ['mail: shared@example.org'],
        // A second value of what is to be the name.
        lab: ['mail: lab@example.org', 'uid: desk-too'],
      },
    });
    server = await testServer(settings());
  });
  afterAll(async () => {
    await server.close();
    await directory.close();
  });

  const login = async (username: string, password: string, clientId = 'a:demo:desk', of = server) =>
    (await RawClient.login(of, { clientId, username, password: Buffer.from(password), keepAlive: 0 })).code;
  async function reasonOf(username: string, password: string, clientId?: string): Promise<string | undefined> {
    await login(username, password, clientId);
    const { items } = await server.api.refusals({ organisation: 'demo', limit: 200 });
    const [last] = [...items].sort((a, b) => b.lastAt.localeCompare(a.lastAt));
    return last?.reason;
  }

  it('let a user in by what the filter finds him by, as whom his entry says', async () => {
    expect(await login('desk', 'desk in the directory')).toBe(0);
    expect(await login('ann@example.org', 'desk in the directory')).toBe(0);
    expect(await login('ann@example.org', 'desk in the directory', 'a:demo:tap')).not.toBe(0);
    expect(await login('ann@example.org', 'tap in the directory')).toBe(0x87);
    expect(await login('nobody@example.org', 'desk in the directory')).toBe(0x87);
  });

  it('say what is wrong with an entry that has two names, to whom has its password only', async () => {
    expect(await reasonOf('lab@example.org', 'wrong', 'a:demo:lab')).toBe('wrong_secret');
    expect(await reasonOf('lab@example.org', 'lab in the directory', 'a:demo:lab')).toBe('directory_unavailable');
  });

  it('go on after the directory was away', async () => {
    await directory.stop();
    expect(await reasonOf('ann@example.org', 'desk in the directory')).toBe('directory_unavailable');
    await directory.start();
    await expect
      .poll(() => login('ann@example.org', 'desk in the directory'), { timeout: 60_000, interval: 500 })
      .toBe(0);
  });

  describe('at the start', () => {
    it('a reader whom the directory does not take ends it, and so does a base that is not there', async () => {
      const wrong = join(directory.folder, 'wrong.password');
      writeFileSync(wrong, 'not the password', { mode: 0o600 });
      await expect(testServer(settings({ readerPasswordFile: wrong }))).rejects.toThrow(/does not take the reader/);
      const nowhere = settings({}, { base: 'ou=nowhere,dc=example,dc=org' });
      await expect(testServer(nowhere)).rejects.toThrow(/has no entry ou=nowhere/);
    });

    it('a directory that is away does not: its outage policy holds', async () => {
      await directory.stop();
      const other = await testServer(settings({ timeout: '500ms' }));
      try {
        expect(await login('desk', 'desk in the directory', 'a:demo:desk', other)).not.toBe(0);
      } finally {
        await other.close();
        await directory.start();
      }
    });
  });
});
