import { TOTP } from 'otpauth';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser, seriousProblems } from '../browser.ts';
import { begin, hastily, hidden, PUMP, poll, submit } from '../device-flow.ts';
import { mailBox, type Open, type ReceivedMail } from '../letter-boxes.ts';
import { ask, type HttpAnswer, scope } from '../oauth-client.ts';
import { describeWith } from '../programs.ts';
import { type TestServer, testServer } from '../server.ts';

const ANN = 'ann@example.com';
const TYPE_OWNER = 'works@example.com';
const open: Open = [];
let authority: TestServer;
let server: TestServer;
let mails: ReceivedMail[];
beforeAll(async () => {
  authority = await testServer();
  const box = await mailBox(authority, open);
  mails = box.mails;
  server = await testServer({
    'authorizationServer.organisations': ['demo'],
    'authorizationServer.deviceInterval': '100ms',
    'authorizationServer.ownerApproval': true,
    ...box.settings,
  });
  await server.api.types.update({ organisation: 'demo', id: 'pump' }, { owner: TYPE_OWNER });
  await server.api.devices.update({ organisation: 'demo', type: 'pump', id: 'pump-7' }, { owner: ANN });
});
afterAll(async () => {
  await server.close();
  await authority.close();
  for (const one of open) await one.close();
});

/** The field of the page that asks for the mailed code. */
const challengeOf = ({ text }: HttpAnswer) => /name="challenge" value="([^"]+)"/.exec(text)?.[1] ?? '';

async function mailTo(address: string, userCode: unknown): Promise<string> {
  const shown = String(userCode);
  await expect
    .poll(() => mails.some(({ to, text }) => to.includes(address) && text.includes(shown)), { timeout: 30_000 })
    .toBe(true);
  const mail = mails.findLast(({ to, text }) => to.includes(address) && text.includes(shown));
  return /(\d{8}) is the code/.exec(mail?.text ?? '')?.[1] ?? '';
}

async function byMail(address: string, userCode: unknown): Promise<HttpAnswer> {
  const page = await submit(server, { user_code: String(userCode), owner_mail: address.toUpperCase() });
  expect(page.text).not.toMatch(/\d{8}/);
  const mailed = await mailTo(address, userCode);
  return submit(server, { user_code: String(userCode), challenge: challengeOf(page), mailed_code: mailed });
}

describe('the owner of a device, who is no operator', () => {
  it('approves it with a code from his mail, once', async () => {
    const { json: begun } = await begin(server, { scope: scope('publish', 'iot-2/evt/+/fmt/+') });
    const question = await byMail(ANN, begun.user_code);
    expect(question.text).toContain('device:demo/pump/pump-7');
    const done = await submit(server, { ...hidden(question), decision: 'approve' });
    expect(done.text).toContain('The device is approved');
    expect((await poll(server, begun.device_code)).json.access_token).toBeDefined();
    const { items } = await server.api.audit({ type: 'device.approved' });
    expect(items[0]).toMatchObject({ principal: 'device:demo/pump/pump-7', by: `owner:${ANN}` });
  });

  it('is the owner of the type where the device has none of its own', async () => {
    const { json: begun } = await begin(server, { client_id: 'd:demo:pump:pump-8' });
    const question = await byMail(TYPE_OWNER, begun.user_code);
    await submit(server, { ...hidden(question), decision: 'deny' });
    const answer = await poll(server, begun.device_code, { client_id: 'd:demo:pump:pump-8' });
    expect(answer.json.error).toBe('access_denied');
  });

  it('approves it with the code of the authenticator app of the device, each code once', async () => {
    const { secret } = await server.api.devices.authenticator.create({
      organisation: 'demo',
      type: 'pump',
      id: 'pump-7',
    });
    const app_code = new TOTP({ secret }).generate();
    const { json: begun } = await begin(server);
    const question = await submit(server, { user_code: String(begun.user_code), app_code });
    expect(question.text).toContain('Approve this device?');
    expect((await submit(server, { user_code: String(begun.user_code), app_code })).status).toBe(403);
    await submit(server, { ...hidden(question), decision: 'approve' });
    expect((await poll(server, begun.device_code)).json.access_token).toBeDefined();
  });

  it('is one way of two: operators go on as before', async () => {
    const { json: begun } = await begin(server);
    const form = {
      user_code: String(begun.user_code),
      owner_mail: '',
      app_code: '',
      operator_token: server.operatorToken,
    };
    expect((await submit(server, form)).text).toContain('Approve this device?');
  });
});

describe('a device that asks too often', () => {
  it('is told to slow down, and gets its token when it does', async () => {
    const { json: begun } = await begin(server);
    expect(begun.interval).toBe(1);
    expect((await hastily(server, begun.device_code)).json.error).toBe('authorization_pending');
    expect((await hastily(server, begun.device_code)).json.error).toBe('slow_down');
    // From now on it would have to wait for five seconds: what it does before, is answered alike, and nothing is used up.
    await submit(server, {
      ...hidden(await submit(server, { user_code: String(begun.user_code), operator_token: server.operatorToken })),
      decision: 'approve',
    });
    expect((await hastily(server, begun.device_code)).json.error).toBe('slow_down');
    const { items } = await server.api.refusals({ organisation: 'demo' });
    expect(items.filter(({ steps }) => steps.some(({ text }) => text.includes('slow_down')))).toEqual([]);
    const wrong = await ask(server, '/oauth/demo/token', {
      form: { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code: 'x', client_id: PUMP },
    });
    expect(wrong.json.error).toBe('invalid_grant');
  });
});

describeWith(['chromium'], 'the page in a browser', ({ chromium = '' }) => {
  it.each([
    ['of a phone', { width: 360, height: 740 }],
    ['of a desk', { width: 1280, height: 800 }],
  ])('%s can be used with the keyboard, by everybody, without scrolling to the side', async (_, viewport) => {
    const browser = await launchBrowser(chromium);
    try {
      const page = await (await browser.newContext({ viewport, ignoreHTTPSErrors: true, bypassCSP: true })).newPage();
      const { json: begun } = await begin(server);
      const fits = () => page.evaluate('document.documentElement.scrollWidth <= document.documentElement.clientWidth');
      await page.goto(String(begun.verification_uri_complete));
      expect(await seriousProblems(page)).toEqual([]);
      expect(await fits()).toBe(true);
      await page.getByLabel('Your mail address').fill(ANN);
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'Look into your mail' }).waitFor();
      expect(await seriousProblems(page)).toEqual([]);
      expect(await fits()).toBe(true);
      await page.getByLabel('Code in the mail').fill(await mailTo(ANN, begun.user_code));
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'Approve this device?' }).waitFor();
      expect(await seriousProblems(page)).toEqual([]);
      expect(await fits()).toBe(true);
      await page.getByRole('button', { name: 'Approve' }).click();
      await page.getByRole('heading', { name: 'The device is approved' }).waitFor();
      expect((await poll(server, begun.device_code)).json.access_token).toBeDefined();
    } finally {
      await browser.close();
    }
  });
});
