import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { build } from 'rolldown';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { RawClient } from '../attacks/raw-client.ts';
import { launchBrowser } from '../browser.ts';
import { newIdentity } from '../identities.ts';
import { describeWith } from '../programs.ts';
import { type TestServer, testServer } from '../server.ts';
import { TokenIssuer } from '../token-issuer.ts';

/*
 * Device and application as a bundler makes them for browsers, in pages of a real one: over WebSocket, with tokens and sealed payloads.
 */

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** What a page of a program has: the SDKs as one would import them. */
const ENTRY = `
import { connectApplication } from '@sallyport/application';
import { connectDevice, readIdentity } from '@sallyport/device';
globalThis.sdk = { connectApplication, connectDevice, readIdentity };
`;

const PAGE = '<!doctype html><title>page</title><script type="module" src="/sdk.js"></script>';

interface Sdk {
  connectDevice(options: object): Promise<{
    publishEvent(name: string, payload: unknown): Promise<void>;
    onCommand(name: string, handler: (command: { payload: unknown; application?: string }) => void): Promise<void>;
    on(event: string, listener: (value: unknown) => void): void;
    close(): Promise<void>;
  }>;
  connectApplication(options: object): Promise<{
    subscribeEvents(selection: object, handler: (event: object) => void): Promise<void>;
    sendCommand(device: object, name: string, payload: unknown, options?: object): Promise<unknown>;
    close(): Promise<void>;
  }>;
  readIdentity(text: string): Promise<unknown>;
}

describeWith(['chromium'], 'the SDKs in a browser', ({ chromium = '' }) => {
  let server: TestServer;
  let issuer: TokenIssuer;
  let folder: string;
  let pages: Server;
  let browser: Browser;
  let context: BrowserContext;
  const problems: string[] = [];

  beforeAll(async () => {
    server = await testServer();
    issuer = await TokenIssuer.open('EdDSA');
    const { url, audience } = issuer;
    await server.api.issuers.add('demo', {
      id: 'p',
      issuer: url,
      audience,
      jwksUrl: `${url}/jwks`,
      principal: '{sub}',
    });
    folder = mkdtempSync(join(tmpdir(), 'sallyport-chromium-'));
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    writeFileSync(join(folder, 'entry.mjs'), ENTRY);
    await build({
      input: join(folder, 'entry.mjs'),
      platform: 'browser',
      external: [/^node:/],
      resolve: {
        conditionNames: ['browser', '@sallyport/source', 'import', 'module'],
      },
      output: { dir: join(folder, 'www'), entryFileNames: 'sdk.js', format: 'esm', minify: true },
      logLevel: 'silent',
    });
    const files = new Set(readdirSync(join(folder, 'www')));
    pages = createServer((request, response) => {
      const name = (request.url ?? '/').slice(1);
      // A page that allows no code but its own.
      const strict = "default-src 'none'; script-src 'self'; connect-src wss:";
      if (name === '') {
        response.writeHead(200, { 'content-type': 'text/html', 'content-security-policy': strict }).end(PAGE);
      } else if (files.has(name)) {
        response.writeHead(200, { 'content-type': 'text/javascript' }).end(readFileSync(join(folder, 'www', name)));
      } else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => pages.listen(0, 'localhost', resolve));
    browser = await launchBrowser(chromium);
    // The browser of somebody who trusts this server.
    context = await browser.newContext({ ignoreHTTPSErrors: true });
  }, 240_000);
  afterAll(async () => {
    await browser?.close();
    pages?.closeAllConnections();
    await new Promise((resolve) => pages.close(resolve));
    await issuer.close();
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function open(within = context): Promise<Page> {
    const page = await within.newPage();
    page.on('pageerror', (error) => problems.push(String(error)));
    await page.goto(`http://localhost:${(pages.address() as AddressInfo).port}/`);
    await page.waitForFunction(() => 'sdk' in globalThis);
    return page;
  }
  const place = () => ({ host: 'localhost', port: server.httpPort, websocket: true, organisation: 'demo' });
  const token = (sub: string, seconds: number) => {
    const iat = Math.floor(Date.now() / 1000);
    return issuer.sign({ sub, iat, exp: iat + seconds, scope: 'mqtt:publish:iot-2/%23 mqtt:subscribe:iot-2/%23' });
  };

  it('seal and sign between two pages, one with a token, one with access tokens that are renewed', async () => {
    const device = await newIdentity(server, 'device:demo/pump/pump-7');
    const desk = await newIdentity(server, 'application:demo/desk');
    const tap = await RawClient.open(server, 'tap');
    for (const kind of ['evt', 'cmd']) {
      expect(await tap.subscribe(`iot-2/type/pump/id/pump-7/${kind}/+/fmt/+`)).toBe(0);
    }
    const [devicePage, deskPage] = await Promise.all([open(), open()]);

    // The device: a token, and keys of its own.
    await devicePage.evaluate(
      async ({ options, identity, root, statement }) => {
        const { sdk } = globalThis as unknown as { sdk: Sdk };
        const heard: unknown[] = [];
        const protection = {
          root,
          identity: await sdk.readIdentity(identity),
          applications: [{ application: 'desk', commands: ['+'] }],
          statements: [statement],
          sealEventsFor: ['desk'],
          sealedOnly: true,
        };
        const pump = await sdk.connectDevice({ ...options, protection });
        await pump.onCommand('+', ({ payload, application }) => heard.push([application, payload]));
        Object.assign(globalThis, { pump, heard });
      },
      {
        options: { ...place(), type: 'pump', id: 'pump-7', token: server.tokens['pump-7'] ?? '' },
        identity: JSON.stringify(device.file),
        root: server.rootPem,
        statement: desk.jws,
      },
    );

    // The application: access tokens from a function, the first of which ends soon.
    await deskPage.exposeFunction('fetchToken', () => token('application:desk', 3));
    await deskPage.evaluate(
      async ({ options, identity, root, statement }) => {
        const page = globalThis as unknown as { fetchToken(): Promise<string> };
        const { sdk } = globalThis as unknown as { sdk: Sdk };
        const events: object[] = [];
        const renewed: unknown[] = [];
        const protection = { root, identity: await sdk.readIdentity(identity), statements: [statement] };
        const app = await sdk.connectApplication({ ...options, protection, accessToken: () => page.fetchToken() });
        (app as unknown as { on(event: string, listener: (value: unknown) => void): void }).on('renewed', (what) =>
          renewed.push(what),
        );
        await app.subscribeEvents({}, (event) => events.push(event));
        Object.assign(globalThis, { app, events, renewed });
      },
      {
        options: { ...place(), id: 'desk' },
        identity: JSON.stringify(desk.file),
        root: server.rootPem,
        statement: device.jws,
      },
    );

    await deskPage.evaluate(() => {
      const { app } = globalThis as unknown as { app: Awaited<ReturnType<Sdk['connectApplication']>> };
      return app
        .sendCommand({ type: 'pump', id: 'pump-7' }, 'open', { word: 'swordfish' }, { seal: true })
        .then(() => {});
    });
    await devicePage.waitForFunction(() => (globalThis as unknown as { heard: unknown[] }).heard.length > 0);
    expect(await devicePage.evaluate(() => (globalThis as unknown as { heard: unknown[] }).heard)).toEqual([
      ['application:demo/desk', { word: 'swordfish' }],
    ]);
    await devicePage.evaluate(() => {
      const { pump } = globalThis as unknown as { pump: Awaited<ReturnType<Sdk['connectDevice']>> };
      return pump.publishEvent('status', { word: 'swordfish' });
    });
    await deskPage.waitForFunction(() => (globalThis as unknown as { events: unknown[] }).events.length > 0);
    const [event] = await deskPage.evaluate(() => (globalThis as unknown as { events: object[] }).events);
    expect(event).toMatchObject({ name: 'status', sealed: true, payload: { word: 'swordfish' } });
    // Nobody in between has read it.
    const seen = await tap.heard();
    expect(seen.length).toBeGreaterThan(1);
    expect(seen.join()).not.toContain('swordfish');

    await deskPage.waitForFunction(() => (globalThis as unknown as { renewed: unknown[] }).renewed.length > 0);
    expect(problems).toEqual([]);
    for (const page of [devicePage, deskPage]) {
      await page.evaluate(() => {
        const page = globalThis as unknown as Record<'pump' | 'app', { close(): Promise<void> } | undefined>;
        return (page.pump ?? page.app)?.close();
      });
      await page.close();
    }
  });

  it('are told why they did not come in, in a browser that trusts this server and in one that does not', async () => {
    const options = { ...place(), type: 'pump', id: 'pump-7', token: 'wrong' };
    const attempt = async (page: Page) =>
      page.evaluate(async (given) => {
        const { sdk } = globalThis as unknown as { sdk: Sdk };
        return sdk.connectDevice(given).then(
          () => 'connected',
          ({ code, cure, ticket }: Record<string, string>) => ({ code, cure: cure !== '', ticket }),
        );
      }, options);
    const trusting = await open();
    expect(await attempt(trusting)).toEqual({
      code: 'connection_refused',
      cure: true,
      ticket: expect.stringMatching(/^[0-9A-Z]{6}$/),
    });
    const distrusting = await browser.newContext();
    expect(await attempt(await open(distrusting))).toMatchObject({ code: 'connection_refused', cure: true });
    await distrusting.close();
  });
});
