import { TOTP } from 'otpauth';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { begin, poll, submit } from '../device-flow.ts';
import { mailBox, type Open, type ReceivedMail } from '../letter-boxes.ts';
import type { HttpAnswer } from '../oauth-client.ts';
import { type TestServer, testServer } from '../server.ts';

const ANN = 'ann@example.com';
const BOB = 'bob@example.com';
const PUMP_8 = { client_id: 'd:demo:pump:pump-8' };
const open: Open = [];
let authority: TestServer;
let server: TestServer;
let mails: ReceivedMail[];
beforeAll(async () => {
  authority = await testServer();
  ({ server, mails } = await owned());
});

/** A server with an owner for each pump, and his mails. */
async function owned() {
  const box = await mailBox(authority, open);
  const made = await testServer({
    'authorizationServer.organisations': ['demo', 'other'],
    'authorizationServer.deviceInterval': '100ms',
    'authorizationServer.ownerApproval': true,
    'unlock.maximumRequests': 3,
    ...box.settings,
  });
  for (const [id, owner] of [
    ['pump-7', ANN],
    ['pump-8', BOB],
  ] as const) {
    await made.api.devices.update({ organisation: 'demo', type: 'pump', id }, { owner });
  }
  return { server: made, mails: box.mails };
}
afterAll(async () => {
  await server.close();
  await authority.close();
  for (const one of open) await one.close();
});

const challengeOf = ({ text }: HttpAnswer) => /name="challenge" value="([^"]+)"/.exec(text)?.[1] ?? '';
const asked = (userCode: unknown, owner_mail: string) => submit(server, { user_code: String(userCode), owner_mail });
const answered = (userCode: unknown, challenge: string, mailed_code: string) =>
  submit(server, { user_code: String(userCode), challenge, mailed_code });
async function mailed(userCode: unknown): Promise<string> {
  const about = () => mails.findLast(({ text }) => text.includes(String(userCode)));
  await expect.poll(about, { timeout: 30_000 }).toBeDefined();
  return /(\d{8}) is the code/.exec(about()?.text ?? '')?.[1] ?? '';
}
/** What the page says, without the codes and names that were made for it. */
const said = (answer: HttpAnswer, userCode: unknown) =>
  answer.text
    .replaceAll(challengeOf(answer), '…')
    .replaceAll(String(userCode), '…')
    .replaceAll(String(userCode).replace('-', ''), '…');

it('who asks learns neither which devices wait nor who owns them', async () => {
  const { json: known } = await begin(server);
  const { json: unknown } = await begin(server, { client_id: 'd:demo:pump:pump-99' });
  const answers = [
    [known.user_code, await asked(known.user_code, BOB)],
    [unknown.user_code, await asked(unknown.user_code, ANN)],
    ['BCDF-GHJK', await asked('BCDF-GHJK', ANN)],
    [known.user_code, await asked(known.user_code, 'x'.repeat(5000))],
    [known.user_code, await asked(known.user_code, `${ANN}\r\nBcc: evil@example.com`)],
  ] as const;
  expect(new Set(answers.map(([code, answer]) => `${answer.status} ${said(answer, code)}`)).size).toBe(1);
  for (const [code, answer] of answers) {
    const failed = await answered(code, challengeOf(answer), '12345678');
    expect(failed.status).toBe(403);
    expect(failed.text).not.toContain('pump-');
  }
  expect(mails).toEqual([]);
});

it('an owner approves nothing but his own device: by another code, another challenge, another ticket', async () => {
  const { json: ann } = await begin(server);
  const { json: bob } = await begin(server, PUMP_8);
  const page = await asked(ann.user_code, ANN);
  const code = await mailed(ann.user_code);
  expect((await answered(bob.user_code, challengeOf(page), code)).status).toBe(403);
  const question = await answered(ann.user_code, challengeOf(page), code);
  expect(question.text).toContain('device:demo/pump/pump-7');
  const ticket = /name="ticket" value="([^"]+)"/.exec(question.text)?.[1] ?? '';
  const stolen = { user_code: String(bob.user_code).replace('-', ''), ticket, decision: 'approve' };
  expect((await submit(server, stolen)).status).toBe(403);
  // And a mailed code is good once.
  expect((await answered(ann.user_code, challengeOf(page), code)).status).toBe(403);
  expect((await poll(server, bob.device_code, PUMP_8)).json.error).toBe('authorization_pending');
});

it('the app of one device proves nothing of another, and cannot be guessed for long', async () => {
  const device = { organisation: 'demo', type: 'pump', id: 'pump-7' };
  const { secret } = await server.api.devices.authenticator.create(device);
  const { json } = await begin(server, PUMP_8);
  const app_code = new TOTP({ secret }).generate();
  expect((await submit(server, { user_code: String(json.user_code), app_code })).status).toBe(403);
  const { json: own } = await begin(server);
  const wrong = app_code === '000000' ? '111111' : '000000';
  let rounds = 0;
  for (; rounds < 10; rounds++) await submit(server, { user_code: String(own.user_code), app_code: wrong });
  expect((await submit(server, { user_code: String(own.user_code), app_code })).status).not.toBe(200);
});

it('an owner is not flooded with mails', async () => {
  const { server: other, mails: received } = await owned();
  try {
    const { json } = await begin(other, PUMP_8);
    for (let round = 0; round < 6; round++) {
      await submit(other, { user_code: String(json.user_code), owner_mail: BOB });
    }
    const { json: second } = await begin(other, PUMP_8);
    await submit(other, { user_code: String(second.user_code), owner_mail: BOB });
    // The mails for another device come after them, and show that no more were on their way.
    const { json: last } = await begin(other);
    await submit(other, { user_code: String(last.user_code), owner_mail: ANN });
    await expect.poll(() => received.some(({ to }) => to.includes(ANN)), { timeout: 15_000 }).toBe(true);
    expect(received.filter(({ to }) => to.includes(BOB)).length).toBeLessThanOrEqual(3);
  } finally {
    await other.close();
  }
});

it('no owner approves anything where that was not switched on', async () => {
  const plain = await testServer({ 'authorizationServer.organisations': ['demo'] });
  try {
    await plain.api.devices.update({ organisation: 'demo', type: 'pump', id: 'pump-7' }, { owner: ANN });
    const { json } = await begin(plain);
    for (const form of [{ owner_mail: ANN }, { app_code: '123456' }, { challenge: 'x', mailed_code: '12345678' }]) {
      expect((await submit(plain, { user_code: String(json.user_code), ...form } as never)).status).toBe(403);
    }
  } finally {
    await plain.close();
  }
});
