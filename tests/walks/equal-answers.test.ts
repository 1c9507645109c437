import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { explainOffline } from '@sallyport/server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from '../../packages/cli/test/run-command.ts';
import { identity, policy, RawClient } from '../attacks/raw-client.ts';
import { type TestServer, testServer } from '../server.ts';

type Action = 'connect' | 'publish' | 'subscribe';
type Case = readonly [who: string, action: Action, resource: string, expected: 'permit' | 'deny', from?: string];

const by = 'system';
const organisation = 'demo';
const HOME = '127.0.0.31';
const BLACK = '127.0.0.66';
const NAMES: Readonly<Record<string, string>> = {
  'pump-7': 'device:demo/pump/pump-7',
  'pump-8': 'device:demo/pump/pump-8',
  'hub-1': 'gateway:demo/hub/hub-1',
  desk: 'application:demo/desk',
  tap: 'application:demo/tap',
  lab: 'application:demo/lab',
  'other/pump-7': 'device:other/pump/pump-7',
};
const EVENT = 'iot-2/evt/a/fmt/json';
const COMMANDS = 'iot-2/cmd/+/fmt/+';
const of = (id: string, rest: string) => `iot-2/type/pump/id/${id}/${rest}`;

let server: TestServer;
beforeAll(async () => {
  server = await testServer({ 'limits.boundLoopback': true });
  const { registry } = server.server;
  await registry.applications.update({ organisation, id: 'tap', role: 'visualization', by });
  const lab = { principals: ['application:demo/lab'] };
  const text = policy(
    { ...lab, actions: ['connect'], resources: ['*'] },
    { ...lab, actions: ['publish', 'subscribe', 'receive'], resources: ['floor/#'] },
    { ...lab, effect: 'deny', actions: ['publish'], resources: ['floor/secret/#'] },
    {
      principals: ['device:demo/pump/pump-8'],
      effect: 'deny',
      actions: ['publish'],
      resources: [of('pump-8', 'evt/x/#')],
    },
  );
  await registry.policies.put({ organisation, text, by });
  await server.api.lists.add(organisation, 'black', { entries: [{ entry: BLACK }] });
  await server.api.lists.use(organisation, { active: 'black' });
});
afterAll(async () => {
  await server.close();
  rmSync(atRest, { recursive: true, force: true });
});

/** What the broker does. */
async function broker([who, action, resource, , from = HOME]: Case): Promise<'permit' | 'deny'> {
  const login = { ...identity(server, who), ...(action === 'connect' ? { clientId: resource } : {}) };
  const { client, code } = await RawClient.login(server, login, 5, { localAddress: from }).catch(() => ({
    client: undefined,
    code: 0x87,
  }));
  try {
    if (client === undefined || code !== 0) return 'deny';
    if (action === 'connect') return 'permit';
    if (action === 'subscribe') return (await client.subscribe(resource)) === 0 ? 'permit' : 'deny';
    client.publish(resource, '{}', { qos: 1 });
    const answer = await client.takeOrEnd('puback');
    return answer !== undefined && answer.reasonCode < 0x80 ? 'permit' : 'deny';
  } finally {
    await client?.vanish();
  }
}

async function api([who, action, resource, , address = HOME]: Case): Promise<'permit' | 'deny'> {
  return (await server.api.explain({ as: NAMES[who] ?? '', action, resource, address })).effect;
}

async function command([who, action, resource, , address = HOME]: Case): Promise<string> {
  const name = ['explain', '--as', NAMES[who] ?? '', '--address', address, action, resource, '--json'];
  const { exitCode, out } = await runCommand(['--data-dir', server.directory, ...name]);
  const { effect } = JSON.parse(out) as { effect: string };
  expect(exitCode).toBe(effect === 'permit' ? 0 : 1);
  return effect;
}

/** A server at rest: the data directory as it is at the moment, of which no server knows. */
let atRest = '';
function takeDown(): void {
  if (atRest !== '') rmSync(atRest, { recursive: true, force: true });
  atRest = mkdtempSync(join(tmpdir(), 'sallyport-at-rest-'));
  cpSync(server.directory, atRest, { recursive: true, filter: (path) => !path.endsWith('server.json') });
}

/** What `explain` says while no server runs. */
async function offline([who, action, resource, , address = HOME]: Case): Promise<'permit' | 'deny'> {
  const question = { as: NAMES[who] ?? '', action, resource, address };
  return (await explainOffline({ dataDirectory: atRest }, question)).effect;
}

const shown = (cases: readonly Case[]) =>
  cases.map(
    (one) => [`${one[0]} ${one[1]} ${one[2]}${one[4] === undefined ? '' : ` from ${one[4]}`}: ${one[3]}`, one] as const,
  );

async function equal(one: Case): Promise<void> {
  const answers = {
    broker: await broker(one),
    api: await api(one),
    command: await command(one),
    offline: await offline(one),
  };
  expect(answers).toEqual({ broker: one[3], api: one[3], command: one[3], offline: one[3] });
}

const ALWAYS: readonly Case[] = [
  ['pump-7', 'connect', 'd:demo:pump:pump-7', 'permit'],
  ['pump-7', 'connect', 'd:demo:pump:pump-7', 'deny', BLACK],
  ['other/pump-7', 'connect', 'd:other:pump:pump-7', 'permit', BLACK],
  ['pump-7', 'publish', EVENT, 'permit'],
  ['pump-7', 'publish', EVENT, 'deny', BLACK],
  ['pump-7', 'publish', of('pump-8', 'evt/a/fmt/json'), 'deny'],
  ['pump-7', 'publish', 'iot-2/evt//fmt/json', 'deny'],
  ['pump-7', 'subscribe', COMMANDS, 'permit'],
  ['pump-7', 'subscribe', of('pump-8', 'cmd/+/fmt/+'), 'deny'],
  ['pump-7', 'subscribe', '#', 'deny'],
  ['pump-7', 'subscribe', 'iot-2/evt/+/fmt/+', 'deny'],
  ['pump-8', 'publish', EVENT, 'permit'],
  ['pump-8', 'publish', 'iot-2/evt/x/fmt/json', 'deny'],
  ['hub-1', 'connect', 'g:demo:hub:hub-1', 'permit'],
  ['hub-1', 'subscribe', of('pump-7', 'cmd/+/fmt/+'), 'permit'],
  ['desk', 'connect', 'a:demo:desk', 'permit'],
  ['desk', 'publish', of('pump-7', 'cmd/c/fmt/json'), 'permit'],
  ['desk', 'subscribe', 'iot-2/type/+/id/+/evt/+/fmt/+', 'permit'],
  ['desk', 'subscribe', '$share/group/iot-2/type/+/id/+/evt/+/fmt/+', 'permit'],
  ['desk', 'subscribe', 'iot-2/incident/+', 'deny'],
  ['desk', 'publish', 'iot-2/incident/denials', 'deny'],
  ['tap', 'publish', of('pump-7', 'cmd/c/fmt/json'), 'deny'],
  ['tap', 'subscribe', 'iot-2/type/+/id/+/evt/+/fmt/+', 'permit'],
  ['lab', 'connect', 'whatever', 'permit'],
  ['pump-7', 'connect', 'd:demo:pump:pump-8', 'deny'],
  ['lab', 'publish', 'floor/1', 'permit'],
  ['lab', 'publish', 'floor/secret/1', 'deny'],
  ['lab', 'subscribe', 'floor/#', 'permit'],
  ['lab', 'subscribe', '#', 'deny'],
];

describe('broker, API, command and the command without a server answer alike', () => {
  beforeAll(takeDown);
  it.each(shown(ALWAYS))('%s', (_, one) => equal(one));
});

const SUSPENDED: readonly Case[] = [
  ['pump-8', 'connect', 'd:demo:pump:pump-8', 'deny'],
  ['pump-8', 'publish', EVENT, 'deny'],
  ['pump-8', 'subscribe', COMMANDS, 'deny'],
  ['pump-7', 'publish', EVENT, 'permit'],
];

describe('broker, API, command and the command without a server answer alike about a suspended device', () => {
  const device = { organisation, type: 'pump', id: 'pump-8', by };
  beforeAll(async () => {
    await server.server.registry.devices.suspend(device);
    takeDown();
  });
  afterAll(() => server.server.registry.devices.resume(device));
  it.each(shown(SUSPENDED))('%s', (_, one) => equal(one));
});

const CONTAINED = {
  'read-only': [
    ['pump-7', 'connect', 'd:demo:pump:pump-7', 'permit'],
    ['pump-7', 'publish', EVENT, 'deny'],
    ['pump-7', 'subscribe', COMMANDS, 'permit'],
    ['pump-8', 'publish', EVENT, 'permit'],
  ],
  quarantine: [
    ['pump-7', 'publish', EVENT, 'permit'],
    ['pump-7', 'subscribe', COMMANDS, 'permit'],
    ['pump-7', 'subscribe', `iotdm-1/type/pump/id/pump-7/#`, 'deny'],
  ],
  suspend: [['pump-7', 'connect', 'd:demo:pump:pump-7', 'deny']],
} as const satisfies Record<string, readonly Case[]>;

describe.each(['read-only', 'quarantine', 'suspend'] as const)(
  'broker, API, command and the command without a server answer alike about a device contained by %s',
  (level) => {
    let id = '';
    beforeAll(async () => {
      const probing = await RawClient.open(server, 'pump-7', {}, 5, { localAddress: HOME });
      for (let count = 0; count < 6; count++) await probing.subscribe(of('pump-8', `evt/e${count}/fmt/json`));
      await probing.vanish();
      const mine = async () =>
        (await server.api.incidents.list()).items.find(
          ({ rule, state, subject }) => rule === 'names-another' && state !== 'resolved' && subject === NAMES['pump-7'],
        );
      for (let found = await mine(); id === ''; found = await mine()) id = found?.id ?? '';
      await server.api.incidents.contain(id, level);
      takeDown();
    });
    afterAll(async () => {
      await server.api.incidents.resolve(id);
      id = '';
    });
    it.each(shown(CONTAINED[level]))('%s', (_, one) => equal(one));
  },
);
