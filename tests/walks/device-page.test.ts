import { SimulatedDevice } from '@sallyport/device/simulator';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openPage, type PageServer } from '../../packages/cli/src/pages/page-server.ts';
import { DevicePage } from '../../packages/cli/src/simulation/device-page.ts';
import { offeredProofs } from '../../packages/cli/src/simulation/offered-proofs.ts';
import { launchBrowser, seriousProblems } from '../browser.ts';
import { describeWith } from '../programs.ts';
import { type TestServer, testServer } from '../server.ts';

const PATIENCE = 60_000;
const organisation = 'demo';
const pump = { organisation, type: 'pump', id: 'pump-7' };

describeWith(['chromium'], 'the page of a simulated device', ({ chromium = '' }) => {
  let server: TestServer;
  let pages: PageServer;
  let browser: Browser;
  let page: Page;
  const problems: string[] = [];
  const undo: (() => unknown)[] = [];

  beforeAll(async () => {
    server = await testServer();
    undo.push(() => server.close());
    const { host, port, rootPem: ca } = server;
    let changed = (): void => {};
    const device = new DevicePage({
      clientId: 'd:demo:pump:pump-7',
      server: `${host}:${port}`,
      proofs: offeredProofs({ by: 'token', token: server.tokens['pump-7'] ?? '' }),
      misdeeds: [
        {
          id: 'wrong',
          name: 'Come with a wrong token',
          meaning: 'One that was never issued.',
          run: async () => ({ outcome: 'Refused, as it must be.' }),
        },
      ],
      follows: undefined,
      build: (proof, enterCode) =>
        new SimulatedDevice({
          ...pump,
          server: { host, port, ca },
          proof,
          every: 500,
          now: Date.now,
          random: Math.random,
          enterCode,
        }),
      now: Date.now,
      changed: () => changed(),
    });
    undo.push(() => device.stop());
    pages = await openPage({
      page: 'device',
      port: 0,
      document: () => device.document(),
      actions: {
        start: (request) => device.start(request),
        stop: () => device.stop(),
        unlock: (request) => device.unlock(request),
        misbehave: (request) => device.misbehave(request),
      },
    });
    changed = () => pages.changed();
    undo.push(() => pages.close());
    browser = await launchBrowser(chromium);
    undo.push(() => browser.close());
    page = await (await browser.newContext({ viewport: { width: 1400, height: 900 } })).newPage();
    page.setDefaultTimeout(PATIENCE);
    page.on('pageerror', (error) => problems.push(error.message));
    await page.goto(pages.url);
  }, 180_000);
  afterAll(async () => {
    for (const step of undo.reverse()) await step();
  });

  const start = () => page.getByRole('button', { name: 'Start' }).click();

  it(
    'starts by its token, sends readings, and shows the commands that come',
    async () => {
      await page.getByText('switched off').waitFor();
      await page.getByRole('radio', { name: /^Token/ }).check();
      await start();
      await page.getByText('online', { exact: true }).waitFor();
      await page.getByRole('cell', { name: 'sent', exact: true }).first().waitFor();
      await page.getByText('listens to its commands').waitFor();
      const { connectApplication } = await import('@sallyport/application');
      const desk = await connectApplication({
        ...{ host: server.host, port: server.port, ca: server.rootPem, organisation, id: 'desk' },
        ...{ key: server.keys.desk ?? '', token: server.tokens.desk ?? '' },
      });
      await desk.sendCommand(pump, 'open-the-valve', { now: true });
      await desk.close();
      await page.getByRole('cell', { name: 'open-the-valve' }).waitFor();
      await page.getByRole('cell', { name: /^Valid/ }).waitFor();
      expect(await seriousProblems(page)).toEqual([]);
      await page.getByRole('button', { name: 'Stop' }).click();
      await page.getByText('switched off').waitFor();
    },
    PATIENCE * 3,
  );

  it(
    'says why it was refused, and what to do',
    async () => {
      await page.getByRole('radio', { name: /^User name/ }).check();
      await page.getByLabel('User name', { exact: true }).fill('nobody');
      await page.getByLabel('Password', { exact: true }).fill('not-a-password');
      await start();
      await page.getByText('refused', { exact: true }).waitFor();
      await page
        .getByRole('alert')
        .getByText(/not authorized \(ticket/)
        .waitFor();
      await page.getByRole('button', { name: 'Come with a wrong token' }).click();
      await page.getByText('Come with a wrong token: Refused, as it must be.').waitFor();
    },
    PATIENCE * 3,
  );

  it(
    'owes a one-time code where its type demands one, and takes it on the page',
    async () => {
      await server.api.types.update({ organisation, id: 'pump' }, { unlock: { mode: 'one-time-code' } });
      await page.getByRole('radio', { name: /^Token/ }).check();
      await start();
      await page.getByLabel('Code that the owner received').waitFor();
      const { code } = await server.api.unlocks.makeCode(organisation, 'd:demo:pump:pump-7');
      await page.getByLabel('Code that the owner received').fill(code === '000000' ? '111111' : '000000');
      await page.getByRole('button', { name: 'Confirm' }).click();
      await page.getByText('That was not the code.').waitFor();
      await page.getByLabel('Code that the owner received').fill(code);
      await page.getByRole('button', { name: 'Confirm' }).click();
      await page.getByText('The code was right').waitFor();
      await page.getByText('online', { exact: true }).waitFor();
      expect(await seriousProblems(page)).toEqual([]);
    },
    PATIENCE * 3,
  );

  it('went without an error', () => {
    expect(problems).toEqual([]);
  });
});
