import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseListEntry } from '@sallyport/policy';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCommand } from '../../packages/cli/test/run-command.ts';
import { type CountryRange, writeCountryFile } from '../../packages/server/src/lists/mmdb-writer.ts';
import { RawClient, VERSIONS } from '../attacks/raw-client.ts';
import { type TestServer, testServer } from '../server.ts';
import { startedAgain } from '../started-again.ts';

const PUMP = 'device:demo/pump/pump-7';
const EVENT = 'iot-2/evt/a/fmt/json';
const WEEK = 7 * 86_400_000;
const PROXY = '127.0.0.80';
const TABLES = '/usr/share/tor';

let server: TestServer;
let ahead = 0;
const clock = { now: () => Date.now() + ahead };
const settings = (act: boolean) => ({
  'listeners.mqttTls.proxyAddresses': [`${PROXY}/32`],
  'incidents.act': act,
  'incidents.limits.new-country': 'read-only',
});
beforeEach(() => {
  ahead = 0;
});
afterEach(() => server.close());

/** A device that connects from somewhere in the world, as the load balancer of the place says. */
async function from(address: string, who = 'pump-7', version: 4 | 5 = 5): Promise<RawClient> {
  const header = Buffer.from(`PROXY TCP4 ${address} 127.0.0.1 4711 8883\r\n`);
  return RawClient.open(server, who, {}, version, { localAddress: PROXY, header });
}

const sallyport = async (...args: string[]) => {
  const { exitCode, out, err } = await runCommand(['--data-dir', server.directory, ...args]);
  expect(exitCode, err).toBe(0);
  return out;
};
const found = async () =>
  (await server.api.incidents.list()).items.filter(({ rule, state }) => rule === 'new-country' && state !== 'resolved');
async function mayPublish(client: RawClient): Promise<boolean> {
  client.publish(EVENT, '{}', { qos: client.version === 5 ? 1 : 0 });
  if (client.version === 4) return client.settled();
  return ((await client.takeOrEnd('puback'))?.reasonCode ?? 0x80) < 0x80;
}

/** Addresses at home, abroad and yet elsewhere, in the file that the server then has. */
const FILES: readonly (readonly [
  name: string,
  isThere: boolean,
  write: () => Buffer | undefined,
  addresses: readonly [string, string, string],
])[] = [
  [
    'a file of the operator',
    true,
    () => {
      const range = (network: string, country: string): CountryRange => {
        const read = parseListEntry(network);
        if (!read.ok || read.value.kind !== 'range') throw new Error(network);
        return { ...read.value.range, country };
      };
      const ranges = [range('192.0.2.0/24', 'DE'), range('198.51.100.0/24', 'RU'), range('203.0.113.0/24', 'BR')];
      return writeCountryFile(ranges, { type: 'Test', description: 'three countries', builtAt: Date.now() });
    },
    ['192.0.2.7', '198.51.100.7', '203.0.113.7'],
  ],
  [
    'the tables of Tor, imported by the command',
    existsSync(join(TABLES, 'geoip')),
    () => undefined,
    ['193.99.144.80', '5.255.255.5', '200.160.2.3'],
  ],
];

describe.each(FILES)('a device that turns up in another country (%s)', (_, isThere, write, [home, abroad, third]) => {
  async function start(act: boolean): Promise<void> {
    server = await testServer(settings(act), clock);
    const file = write();
    if (file === undefined) expect(await sallyport('list', 'import-countries')).toContain('ranges of addresses in');
    else writeFileSync(join(server.directory, 'countries.mmdb'), file);
    await sallyport('list', 'add', 'black', 'KP', '--org', 'demo');
    await sallyport('list', 'use', 'black', '--org', 'demo');
    // A new file is taken within seconds.
    await expect
      .poll(() => sallyport('list', 'check', home, '--org', 'demo'), { timeout: 60_000, interval: 500 })
      .toContain('(DE)');
    await (await from(home)).vanish();
    await (await from(abroad, 'pump-8')).vanish();
    ahead = WEEK + 60_000;
  }

  it.skipIf(!isThere).each(VERSIONS)(
    'is told in a dry run, contained by the operator and released (version %s)',
    { timeout: 120_000 },
    async (version) => {
      await start(false);
      const healthy = await from(abroad, 'pump-8', version);
      await (await from(home)).vanish();
      expect(await found()).toEqual([]);
      const pump = await from(abroad, 'pump-7', version);
      await expect.poll(async () => (await found()).length).toBe(1);
      const id = (await found())[0]?.id ?? '';
      const shown = await sallyport('incident', 'show', id);
      expect(shown).toContain(`It connected from ${abroad}, which is in RU; it was only in DE before.`);
      expect(shown).toContain('Dry run: it would have been contained: read-only.');
      expect((await found())[0]).toMatchObject({ subject: PUMP, state: 'open', count: 1 });
      expect(await mayPublish(pump)).toBe(true);

      await sallyport('incident', 'contain', id, 'read-only');
      expect(await mayPublish(pump)).toBe(false);
      expect(await mayPublish(healthy)).toBe(true);
      await sallyport('incident', 'release', id);
      expect(await mayPublish(await from(abroad, 'pump-7', version))).toBe(true);
      await sallyport('incident', 'resolve', id);
      // Where it has been, it may be.
      await (await from(abroad)).vanish();
      await (await from(home)).vanish();
      expect(await found()).toEqual([]);
    },
  );

  it.skipIf(!isThere)(
    'is contained by the server where it may act, and what is known of it survives a restart',
    { timeout: 120_000 },
    async () => {
      await start(true);
      server = await startedAgain(server, settings(true), clock);
      await (await from(home)).vanish();
      expect(await found()).toEqual([]);
      const pump = await from(third);
      await expect.poll(async () => (await found())[0]?.containment).toBe('read-only');
      expect(await mayPublish(pump)).toBe(false);
      expect((await found())[0]?.timeline[0]?.text).toContain('which is in BR; it was only in DE before');
      await sallyport('incident', 'resolve', (await found())[0]?.id ?? '');
      expect(await mayPublish(await from(third))).toBe(true);
    },
  );
});
