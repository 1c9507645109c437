// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of templates are written like this.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { RawClient } from '../attacks/raw-client.ts';
import { type DirectoryServer, directoryServer, person } from '../directory-server.ts';
import { describeWith } from '../programs.ts';
import { type TestServer, testServer } from '../server.ts';

const COMMAND = 'iot-2/type/pump/id/pump-7/cmd/blink/fmt/json';
const EVENTS = 'iot-2/type/+/id/+/evt/+/fmt/+';

describeWith(['slapd', 'ldapmodify', 'openssl'], 'an organisation with a directory', (programs) => {
  let directory: DirectoryServer;
  let server: TestServer;

  const block = (more: object = {}) => ({
    url: directory.ldapsUrl,
    caFile: directory.caFile,
    reader: directory.reader,
    readerPasswordFile: directory.readerPasswordFile,
    ...more,
  });
  const users = {
    dn: 'uid=${username},ou=people,dc=example,dc=org',
    principal: 'application:demo/${username}',
  };
  const groups = {
    base: 'ou=groups,dc=example,dc=org',
    filter: '(member=${dn})',
    entry: 'uid=${id},ou=people,dc=example,dc=org',
    lifetime: '1s',
    grants: [
      { group: 'senders', grants: ['publish:iot-2/type/pump/id/+/cmd/+/fmt/+'] },
      { group: 'readers', grants: [`subscribe:${EVENTS}`] },
    ],
  };

  beforeAll(async () => {
    directory = await directoryServer(programs, {
      people: { desk: 'desk in the directory', tap: 'tap in the directory' },
      groups: { senders: [person('desk')], readers: [person('tap')] },
    });
    server = await testServer({
      organisations: [
        { id: 'demo', authenticators: ['certificate', 'token', 'directory'], directory: block({ users, groups }) },
      ],
    });
  });
  afterAll(async () => {
    await server.close();
    await directory.close();
  });

  const login = (id: string, password: string, version: 4 | 5 = 5) =>
    RawClient.login(
      server,
      { clientId: `a:demo:${id}`, username: id, password: Buffer.from(password), keepAlive: 0 },
      version,
    );
  async function publishes(client: RawClient): Promise<boolean> {
    client.publish(COMMAND, 'x', { qos: 1 });
    return ((await client.takeOrEnd('puback'))?.reasonCode ?? 0x80) < 0x80;
  }

  it('lets its users in with the password of the directory, and with their token as before', async () => {
    expect((await login('desk', 'desk in the directory')).code).toBe(0);
    expect((await login('desk', 'wrong')).code).toBe(0x87);
    expect((await login('nobody', 'desk in the directory')).code).toBe(0x87);
    await (await RawClient.open(server, 'desk')).vanish();
  });

  it('lets each do what both the policy and a group grant', async () => {
    const { client: desk } = await login('desk', 'desk in the directory');
    expect(await publishes(desk)).toBe(true);
    expect(await desk.subscribe(EVENTS)).toBe(0x87);
    const tap = await RawClient.open(server, 'tap');
    expect(await publishes(tap)).toBe(false);
    expect(await tap.subscribe(EVENTS)).toBe(0);
    const device = await RawClient.open(server, 'pump-7');
    expect(await device.subscribe('iot-2/cmd/+/fmt/+')).toBe(0x87);
    for (const client of [desk, tap, device]) await client.vanish();
  });

  it('ends a session whose groups have changed, and gives it the new rights when it comes back', async () => {
    const { client } = await login('desk', 'desk in the directory');
    expect(await client.subscribe(EVENTS)).toBe(0x87);
    directory.member('add', 'readers', person('desk'));
    await client.gone;
    const { client: back } = await login('desk', 'desk in the directory');
    expect(await back.subscribe(EVENTS)).toBe(0);
    directory.member('delete', 'readers', person('desk'));
    await back.gone;
  });

  it('lets nobody in and ends sessions when it does not answer, and works again when it is back', async () => {
    const { client } = await login('desk', 'desk in the directory');
    await directory.stop();
    await client.gone;
    expect((await login('desk', 'desk in the directory')).code).toBe(0x88);
    expect((await RawClient.login(server, tokenOf('tap'))).code).toBe(0x88);
    const { items } = await server.api.refusals({ organisation: 'demo' });
    expect(items[0]).toMatchObject({ reason: 'directory_unavailable' });
    await directory.start();
    // It is left alone for a while after it has failed several times.
    let code: number;
    do {
      await new Promise((resolve) => setTimeout(resolve, 200));
      ({ code } = await login('desk', 'desk in the directory'));
    } while (code === 0x88);
    expect(code).toBe(0);
  });

  const tokenOf = (id: string) => ({
    clientId: `a:demo:${id}`,
    username: server.keys[id] ?? '',
    password: Buffer.from(server.tokens[id] ?? ''),
    keepAlive: 0,
  });

  it('is asked over StartTLS as well', async () => {
    const other = await testServer({
      organisations: [
        {
          id: 'demo',
          authenticators: ['directory', 'token'],
          directory: block({ url: directory.ldapUrl, startTls: true, users, groups }),
        },
      ],
    });
    try {
      const found = await RawClient.login(other, {
        clientId: 'a:demo:tap',
        username: 'tap',
        password: Buffer.from('tap in the directory'),
        keepAlive: 0,
      });
      expect(found.code).toBe(0);
    } finally {
      await other.close();
    }
  });
});
