import { connectApplication } from '@sallyport/application';
import { connectDevice } from '@sallyport/device';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Desk } from '../../packages/cli/src/desk/desk.ts';
import { plainManner } from '../../packages/cli/src/desk/manners.ts';
import { openPage, type PageServer } from '../../packages/cli/src/pages/page-server.ts';
import { launchBrowser, seriousProblems } from '../browser.ts';
import { describeWith } from '../programs.ts';
import { type TestServer, testServer } from '../server.ts';

const PATIENCE = 60_000;

describeWith(['chromium'], 'the page of the application desk', ({ chromium = '' }) => {
  let server: TestServer;
  let pages: PageServer;
  let browser: Browser;
  let page: Page;
  const problems: string[] = [];
  const undo: (() => unknown)[] = [];

  beforeAll(async () => {
    server = await testServer();
    undo.push(() => server.close());
    const { host, port, rootPem: ca, keys, tokens } = server;
    const application = await connectApplication({
      ...{ host, port, ca, organisation: 'demo', id: 'desk' },
      ...{ key: keys.desk ?? '', token: tokens.desk ?? '' },
    });
    undo.push(() => application.close());
    let changed = (): void => {};
    const desk = await Desk.open({
      application,
      server: `${host}:${port}`,
      manners: [plainManner(application)],
      now: Date.now,
      changed: () => changed(),
    });
    pages = await openPage({
      page: 'desk',
      port: 0,
      document: () => desk.document(),
      actions: { send: (request) => desk.send(request) },
    });
    changed = () => pages.changed();
    undo.push(() => pages.close());
    browser = await launchBrowser(chromium);
    undo.push(() => browser.close());
    const context = await browser.newContext({ viewport: { width: 1400, height: 900 } });
    page = await context.newPage();
    page.setDefaultTimeout(PATIENCE);
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
  }, 180_000);
  afterAll(async () => {
    for (const step of undo.reverse()) await step();
  });

  it(
    'shows what a device says, sends it a command, and tells what the server said to that',
    async () => {
      const { host, port, rootPem: ca, tokens } = server;
      await page.goto(pages.url);
      await page.getByText('No device has been heard of yet').waitFor();
      expect(page.url()).not.toContain('#');

      const device = await connectDevice({
        ...{ host, port, ca, organisation: 'demo', type: 'pump', id: 'pump-7', token: tokens['pump-7'] ?? '' },
      });
      try {
        const heard = new Promise((resolve) => void device.onCommand('+', resolve));
        await device.publishEvent('status', { level: 'a-drop-in-the-ocean' });
        await page.getByText('a-drop-in-the-ocean').waitFor();
        await page.getByRole('button', { name: 'pump/pump-7' }).click();
        await page.getByLabel('Name').fill('stop');
        await page.getByRole('button', { name: 'Send' }).click();
        await page.getByText('accepted by the server').waitFor();
        expect(await heard).toMatchObject({ name: 'stop', payload: { seconds: 5 } });

        await page.getByLabel('Filter events').fill('nowhere');
        await page.getByText('Nothing fits the filter.').waitFor();
        expect(await seriousProblems(page)).toEqual([]);
      } finally {
        await device.close();
      }
    },
    PATIENCE * 3,
  );

  it(
    'can be used on a phone, in the dark, and by keys alone',
    async () => {
      await page.setViewportSize({ width: 390, height: 800 });
      await page.emulateMedia({ colorScheme: 'dark' });
      await page.reload();
      await page.getByRole('tab', { name: 'Commands' }).waitFor();
      await page.keyboard.press('c');
      await page.getByLabel('Name').waitFor();
      const tooWide = 'document.documentElement.scrollWidth > document.documentElement.clientWidth';
      expect(await page.evaluate(tooWide)).toBe(false);
      expect(await seriousProblems(page)).toEqual([]);
    },
    PATIENCE * 3,
  );

  it('went without an error in the console', () => {
    expect(problems).toEqual([]);
  });
});
