import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Application,
  connectApplication,
  type Event,
  provisionIdentity,
  readIdentity,
} from '@sallyport/application';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser, seriousProblems } from '../browser.ts';
import { describeWith } from '../programs.ts';
import { type TestServer, testServer } from '../server.ts';
import { RunningProgram, SALLYPORT } from './sallyport-process.ts';

const PATIENCE = 60_000;
const organisation = 'demo';

describeWith(['chromium'], 'what a simulated device says, on its page and on its way', ({ chromium = '' }) => {
  let server: TestServer;
  let folder: string;
  let program: RunningProgram;
  let browser: Browser;
  let page: Page;
  const applications: Application[] = [];
  const heard = { desk: [] as Event[], lab: [] as Event[] };

  beforeAll(async () => {
    server = await testServer();
    folder = mkdtempSync(join(tmpdir(), 'sallyport-payloads-'));
    const identity = async (principal: string) =>
      (await provisionIdentity(server.api, { organisation, principal })).file;
    const own = await identity('device:demo/pump/pump-7');
    writeFileSync(join(folder, 'identity.json'), JSON.stringify(own), { mode: 0o600 });
    writeFileSync(join(folder, 'token'), `${server.tokens['pump-7']}\n`, { mode: 0o600 });
    const keys = await readIdentity(JSON.stringify(await identity('application:demo/desk')));
    for (const id of ['desk', 'lab'] as const) {
      const application = await connectApplication({
        ...{ host: server.host, port: server.port, ca: server.rootPem, organisation, id },
        ...{ key: server.keys[id] ?? '', token: server.tokens[id] ?? '' },
        ...(id === 'desk' ? { protection: { identity: keys } } : {}),
      });
      applications.push(application);
      application.onUnreadable((event) => void heard[id].push(event));
      await application.subscribeEvents({}, (event) => void heard[id].push(event));
    }
    program = new RunningProgram(process.execPath, [
      ...[SALLYPORT, 'simulate', 'device', 'demo/pump/pump-7', '--ui', '--every', '500ms'],
      ...['--token-file', join(folder, 'token'), '--data-dir', server.directory],
      ...['--identity', join(folder, 'identity.json'), '--seal-for', 'desk'],
    ]);
    await program.says('http://');
    browser = await launchBrowser(chromium);
    page = await (await browser.newContext({ viewport: { width: 390, height: 844 } })).newPage();
    page.setDefaultTimeout(PATIENCE);
    await page.goto(/http\S+/.exec(program.out)?.[0] ?? '');
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    await program?.end();
    for (const application of applications) await application.close();
    await server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const readings = (of: readonly Event[]) => of.filter(({ name }) => name === 'status');

  it(
    'stands side by side, sealed for one application and for nobody else',
    async () => {
      await page.getByRole('button', { name: 'Start' }).click();
      const payload = page.getByRole('region', { name: 'Payload' });
      await payload.getByText('sealed', { exact: true }).waitFor();
      await payload.getByText('"acceleration"').waitFor();
      await payload.getByText('for desk, cose-sealed').waitFor();
      await expect.poll(() => readings(heard.desk).length, { timeout: PATIENCE }).toBeGreaterThan(0);
      await expect.poll(() => readings(heard.lab).length, { timeout: PATIENCE }).toBeGreaterThan(0);
      const [opened] = readings(heard.desk);
      expect(opened).toMatchObject({ sealed: true, payload: { acceleration: expect.any(Number) } });
      for (const { format, payload: bytes } of readings(heard.lab)) {
        expect(format).toBe('cose-sealed');
        expect(Buffer.from(bytes as Uint8Array).toString('latin1')).not.toContain('acceleration');
      }
      expect(await seriousProblems(page)).toEqual([]);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
    },
    PATIENCE * 3,
  );

  it(
    'goes in clear once the switch is off, and the page says so',
    async () => {
      await page.getByRole('checkbox', { name: 'Seal for desk' }).click();
      await page.getByRole('region', { name: 'Payload' }).getByText('clear', { exact: true }).waitFor();
      const inClear = () => readings(heard.lab).find(({ format }) => format === 'json');
      await expect.poll(inClear, { timeout: PATIENCE }).toMatchObject({ payload: { motion: expect.any(String) } });
      await page.getByRole('checkbox', { name: 'Seal for desk' }).click();
      await page.getByRole('region', { name: 'Payload' }).getByText('sealed', { exact: true }).waitFor();
    },
    PATIENCE * 3,
  );

  it(
    'ignores a command that comes again, and an older image, and says why',
    async () => {
      await page.getByRole('button', { name: 'Replay a command' }).click();
      await page.getByText('It has followed no signed command yet.').waitFor();
      const [desk] = applications;
      await desk?.sendCommand({ type: 'pump', id: 'pump-7' }, 'open-the-valve', { now: true });
      await page.getByRole('cell', { name: /^Valid: signed by application:demo\/desk/ }).waitFor();
      await page.getByRole('button', { name: 'Replay a command' }).click();
      await page.getByText('The device ignored it, as it must: replayed').waitFor();
      await page.getByRole('cell', { name: /^Invalid: replayed/ }).waitFor();
      await page.getByRole('button', { name: 'Offer old firmware' }).click();
      await page.getByText('no firmware repository').waitFor();
      expect(await page.getByText('online', { exact: true }).count()).toBe(1);
    },
    PATIENCE * 3,
  );

  it(
    'is refused in the name of another device, with every step, what was compared, the cure and the ticket',
    async () => {
      await page.getByRole('button', { name: 'Name another device' }).click();
      const why = page.getByRole('region', { name: /^Ticket/ });
      await why.getByText('sallyport explain').waitFor();
      const [{ ticket, steps } = { ticket: '', steps: [] }] = (await server.api.refusals({ organisation, limit: 1 }))
        .items;
      await why.getByText(ticket, { exact: true }).waitFor();
      expect(await why.getByRole('listitem').count()).toBe(steps.length);
      expect(await why.getByRole('term').filter({ hasText: 'found' }).count()).toBeGreaterThan(0);
      await why.getByText('What to do:').waitFor();
      expect(await seriousProblems(page)).toEqual([]);
    },
    PATIENCE * 3,
  );
});
