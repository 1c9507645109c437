import { setTimeout as pause } from 'node:timers/promises';
import { ask, type HttpAnswer } from './oauth-client.ts';
import type { TestServer } from './server.ts';

export const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
export const PUMP = 'd:demo:pump:pump-7';

/** Codes that were asked about. */
const polled = new Set<string>();

type Form = Readonly<Record<string, string>>;

/** What a device without a secret does: asks for a code, and then again and again for its token. */
export function begin(server: TestServer, more: Form = {}): Promise<HttpAnswer> {
  return ask(server, '/oauth/demo/device/auth', { form: { client_id: PUMP, ...more } });
}

/** Waits for as long as a server with a `deviceInterval` of 100 ms demands since the last time. */
export async function poll(server: TestServer, code: unknown, more: Form = {}): Promise<HttpAnswer> {
  if (polled.has(String(code))) await pause(150);
  polled.add(String(code));
  return hastily(server, code, more);
}

/** Asks at once, whatever the server demands. */
export function hastily(server: TestServer, code: unknown, more: Form = {}): Promise<HttpAnswer> {
  const form = { grant_type: DEVICE_GRANT, device_code: String(code), client_id: PUMP, ...more };
  return ask(server, '/oauth/demo/token', { form });
}

/** Sends the form of the approval page. */
export function submit(server: TestServer, form: Form, headers: Form = {}): Promise<HttpAnswer> {
  return ask(server, '/oauth/demo/device', { form, headers });
}

/** The hidden fields of the page with the question. */
export function hidden({ text }: HttpAnswer): { user_code: string; ticket: string } {
  const field = (name: string) => new RegExp(`name="${name}" value="([^"]+)"`).exec(text)?.[1] ?? '';
  return { user_code: field('user_code'), ticket: field('ticket') };
}

/** What an owner does on the page: the code, his token, and the decision. */
export async function decide(server: TestServer, userCode: unknown, decision: 'approve' | 'deny'): Promise<HttpAnswer> {
  const question = await submit(server, { user_code: String(userCode), operator_token: server.operatorToken });
  return submit(server, { ...hidden(question), decision });
}

/** A device that was approved: the answer with its first tokens. */
export async function approved(server: TestServer, more: Form = {}): Promise<Record<string, unknown>> {
  const { json } = await begin(server, more);
  await decide(server, json.user_code, 'approve');
  return (await poll(server, json.device_code)).json;
}
