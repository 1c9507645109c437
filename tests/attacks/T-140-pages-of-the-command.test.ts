import { request } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openPage, type PageServer } from '../../packages/cli/src/pages/page-server.ts';

let page: PageServer;
let acted: unknown[];
beforeEach(async () => {
  acted = [];
  page = await openPage({
    page: 'desk',
    port: 0,
    document: () => ({ secret: 'of the desk' }),
    actions: { send: (asked) => void acted.push(asked) },
  });
});
afterEach(() => page.close());

interface Asked {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** The status and what came first. */
function ask(path: string, { method = 'GET', headers = {}, body }: Asked = {}) {
  const { hostname, port } = new URL(page.url);
  return new Promise<{ readonly status: number; readonly text: string }>((resolve, reject) => {
    const sent = request({ hostname, port, path, method, headers }, (response) => {
      response.once('data', (chunk: Buffer) => {
        resolve({ status: response.statusCode ?? 0, text: chunk.toString('utf8') });
        response.destroy();
      });
      response.once('end', () => resolve({ status: response.statusCode ?? 0, text: '' }));
      response.on('error', () => {});
    });
    sent.once('error', reject);
    sent.end(body);
  });
}

const key = () => new URL(page.url).hash.slice(1);
const bearer = () => ({ authorization: `Bearer ${key()}` });

describe('the page of a command', () => {
  it('listens on loopback and has a key of 144 bits in the fragment', () => {
    expect(new URL(page.url).hostname).toBe('127.0.0.1');
    expect(Buffer.from(key(), 'base64url')).toHaveLength(18);
  });

  it.each([
    ['no key', {}],
    ['a wrong key', { authorization: 'Bearer AAAAAAAAAAAAAAAAAAAAAAAA' }],
    ['the key under another scheme', { authorization: 'Basic AAAA' }],
    ['a key in a cookie', { cookie: 'key=AAAA' }],
  ])('shows and does nothing with %s', async (_what, headers) => {
    expect(await ask('/document', { headers })).toMatchObject({
      status: 401,
      text: expect.not.stringContaining('secret'),
    });
    expect((await ask('/actions/send', { method: 'POST', headers, body: '{}' })).status).toBe(401);
    expect(acted).toEqual([]);
  });

  it('does not answer to the name of another site, even with the key', async () => {
    for (const host of ['attacker.example', `attacker.example:${new URL(page.url).port}`, '127.0.0.1']) {
      const headers = { ...bearer(), host };
      expect((await ask('/', { headers })).status).toBe(421);
      expect((await ask('/document', { headers })).status).toBe(421);
      expect((await ask('/actions/send', { method: 'POST', headers, body: '{}' })).status).toBe(421);
    }
    expect(acted).toEqual([]);
  });

  it.each([
    '/../package.json',
    '/assets/../desk.html',
    '/assets/..%2f..%2fpackage.json',
    '/assets/.env',
    '/device.html',
  ])('serves nothing for %s', async (path) => {
    expect((await ask(path, { headers: bearer() })).status).toBe(404);
  });

  it('takes no action that it does not have, no endless request and nothing but JSON', async () => {
    const headers = bearer();
    expect((await ask('/actions/constructor', { method: 'POST', headers, body: '{}' })).status).toBe(404);
    expect((await ask('/actions/send', { method: 'POST', headers, body: 'no' })).status).toBe(400);
    expect((await ask('/actions/send', { method: 'POST', headers, body: `"${'x'.repeat(70_000)}"` })).status).toBe(400);
    expect(acted).toEqual([]);
  });

  it('shows the document and acts for the one who has the key', async () => {
    expect(await ask('/document', { headers: bearer() })).toEqual({
      status: 200,
      text: 'data: {"secret":"of the desk"}\n\n',
    });
    expect((await ask('/actions/send', { method: 'POST', headers: bearer(), body: '{"a":1}' })).status).toBe(200);
    expect(acted).toEqual([{ a: 1 }]);
  });

  it('keeps no more pages informed than a person opens', async () => {
    const { hostname, port } = new URL(page.url);
    const open = () =>
      new Promise<number>((resolve, reject) => {
        const sent = request({ hostname, port, path: '/document', headers: bearer() }, (response) => {
          response.on('error', () => {});
          response.resume();
          resolve(response.statusCode ?? 0);
        });
        sent.once('error', reject);
        sent.end();
      });
    const statuses: number[] = [];
    for (let count = 0; count < 12; count++) statuses.push(await open());
    expect(statuses.filter((status) => status === 200)).toHaveLength(8);
    expect(statuses.filter((status) => status === 503)).toHaveLength(4);
  });
});
