import { readdirSync, readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventLog } from '../../packages/server/src/audit/log.ts';
import { type TestServer, testServer } from '../server.ts';
import { identity, type Login, RawClient, VERSIONS } from './raw-client.ts';

const PASSWORD = 'correct horse battery staple';
const CHOSEN = 'my.chosen_token!1';

let server: TestServer;
const log: string[] = [];
const events: string[] = [];
const secrets = new Map<string, string>();

beforeAll(async () => {
  server = await testServer();
  const { registry } = server.server;
  server.server.events.on('*', (event) => events.push(JSON.stringify(event)));
  server.server.events.on('*', eventLog({ level: 'debug', now: Date.now, write: (line) => log.push(line) }));
  const by = 'system';
  await registry.credentials.createPassword({
    principal: 'application:demo/tap',
    username: 'tap-user',
    password: PASSWORD,
    by,
  });
  await registry.devices.create({ organisation: 'demo', type: 'pump', id: 'pump-9', token: CHOSEN, by });
  const reader = await registry.operators.create({ id: 'reader', role: 'reader', by });
  for (const who of ['pump-7', 'desk', 'other/desk']) secrets.set(`token of ${who}`, server.tokens[who] ?? '');
  secrets.set('chosen token', CHOSEN).set('password', PASSWORD).set('token of reader', reader.token);
  secrets.set('token of admin', server.operatorToken);
});
afterAll(() => server.close());

/** Each secret in each field of CONNECT, under each kind of client id: what people do when they mix the fields up. */
function* mistakes(): Generator<Login> {
  const ids = [
    'd:demo:pump:pump-7',
    'd:demo:pump:nobody',
    'd:nowhere:pump:x',
    'g:demo:hub:hub-1',
    'a:demo:desk',
    'a:demo:nobody',
    'plain',
    '',
  ];
  for (const value of secrets.values()) {
    for (const clientId of ids) {
      yield { clientId, username: value };
      yield { clientId, username: value, password: Buffer.from(value) };
      yield { clientId, username: 'use-token-auth', password: Buffer.from(value) };
    }
    const [clientId = ''] = ids;
    yield { clientId, username: `use-token-auth:${value}`, password: Buffer.from('x') };
    yield { clientId, username: 'tap-user', password: Buffer.from(`${value} `) };
    // A secret that somebody has chosen looks like any client id; those that were issued can be told by their form.
    if (value === CHOSEN || value === PASSWORD) continue;
    yield { clientId: value, username: 'use-token-auth', password: Buffer.from('x') };
    yield { clientId: value };
    yield { clientId: `d:demo:pump:pump-7:${value}`, username: 'use-token-auth', password: Buffer.from(value) };
  }
}

function call(method: string, path: string, headers: Record<string, string>, body = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request({
      host: 'localhost',
      port: server.httpPort,
      method,
      path,
      headers,
      ca: server.rootPem,
      agent: false,
    });
    sent.on('error', reject);
    sent.on('response', (answer) => {
      let text = '';
      answer.on('data', (chunk) => {
        text += chunk;
      });
      answer.on('end', () => resolve(text));
    });
    sent.end(body);
  });
}

/** Everything that was kept or told, by where it is. */
async function told(): Promise<Map<string, string>> {
  const found = new Map([
    ['log', log.join('\n')],
    ['events', events.join('\n')],
  ]);
  const { items } = await server.api.refusals({ limit: 500 });
  found.set('refusals', JSON.stringify(items));
  for (const { ticket } of items.slice(0, 40)) {
    found.set(`explanation ${ticket}`, JSON.stringify(await server.api.explainTicket(ticket)));
  }
  found.set('audit', JSON.stringify(await server.api.audit({ limit: 500 })));
  found.set('metrics', await server.api.metrics());
  found.set('sessions', JSON.stringify(await server.api.sessions.list('demo')));
  return found;
}

function leaks(places: ReadonlyMap<string, string>): string[] {
  const found: string[] = [];
  for (const [place, text] of places) {
    for (const [name, value] of secrets) if (text.includes(value)) found.push(`${name} in ${place}`);
  }
  return found;
}

describe('a reader finds no secret', () => {
  it('after every login with every field mixed up', { timeout: 20_000 }, async () => {
    const waiting = [...mistakes()];
    const worker = async () => {
      for (let login = waiting.pop(); login; login = waiting.pop()) {
        const { client } = await RawClient.login(server, login, VERSIONS[waiting.length % 2]);
        void client.vanish();
      }
    };
    await Promise.all(Array.from({ length: 8 }, worker));
    expect(leaks(await told())).toEqual([]);
  });

  it('after logins that succeed, and refusals within the session', async () => {
    for (const who of ['pump-7', 'hub-1', 'desk']) {
      const client = await RawClient.open(server, who);
      client.publish('not/permitted', 'x', { qos: 1 });
      await client.subscribe('not/permitted');
      await client.vanish();
    }
    const login = { ...identity(server, 'tap'), username: 'tap-user', password: Buffer.from(PASSWORD) };
    expect((await RawClient.login(server, login)).code).toBe(0);
    expect(leaks(await told())).toEqual([]);
  });

  it('after requests that show a secret where it does not belong', async () => {
    const admin = { authorization: `Bearer ${server.operatorToken}`, 'content-type': 'application/json' };
    const answers: string[] = [];
    for (const value of secrets.values()) {
      const path = encodeURIComponent(value);
      answers.push(await call('POST', '/api/v1/organisations', admin, `{"id":"x","token":"${value}"`));
      answers.push(await call('POST', '/api/v1/organisations', admin, `{"id":"x","secret":"${value}"}`));
      const device = { id: 'pump-10', token: `${value} ` };
      answers.push(await call('POST', '/api/v1/organisations/demo/types/pump/devices', admin, JSON.stringify(device)));
      await call('GET', `/api/v1/organisations?token=${path}`, {});
      await call('GET', `/api/v1/organisations/${path}`, { authorization: 'Bearer x' });
      await call('GET', '/api/v1/organisations', {
        authorization: `Basic ${Buffer.from(`admin:${value}`).toString('base64')}`,
      });
      if (value !== server.operatorToken)
        await call('GET', '/api/v1/organisations', { authorization: `Bearer ${value}x` });
    }
    expect(leaks(new Map(answers.map((text, index) => [`answer ${index}`, text])))).toEqual([]);
    // Those attempts have used up what this address may try.
    expect(leaks(new Map([['log', log.join('\n')]]))).toEqual([]);
  });

  it('in any file of the data directory but the one that is there to hold it', async () => {
    await server.server.close();
    const names = readdirSync(server.directory, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    const places = new Map(
      names.map(({ parentPath, name }) => [name, readFileSync(join(parentPath, name)).toString('latin1')]),
    );
    expect(places.size).toBeGreaterThan(5);
    expect(leaks(places)).toEqual(['token of admin in operator.token']);
  });

  it('in what the process shows of itself', () => {
    const shown = `${process.argv.join(' ')} ${JSON.stringify(process.env)} ${process.title}`;
    expect(leaks(new Map([['process list', shown]]))).toEqual([]);
  });
});
