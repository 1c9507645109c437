import { createHash } from 'node:crypto';
import type { DeviceRequest } from '../oauth/device-approval.ts';

const STYLE = `:root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:2rem auto;padding:0 1rem}
label{display:block;margin-top:1rem;font-weight:600}input{font:inherit;width:100%;padding:.5rem;box-sizing:border-box}
button{font:inherit;padding:.5rem 1.25rem;margin:1.25rem .75rem 0 0}dt{font-weight:600;margin-top:.5rem}dd{margin:0;overflow-wrap:anywhere}
fieldset{border:1px solid #8886;border-radius:.25rem;margin:1rem 0 0;padding:0 1rem 1rem}legend{font-weight:600;padding:0 .25rem}
.problem{border:2px solid #b3261e;padding:.5rem .75rem}small{display:block}`;

/** Nothing runs in these pages, nothing is loaded, and nobody may frame them. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
};

export interface CodePage {
  readonly userCode?: string;
  readonly problem?: string;
  /** Whether owners who are no operators may approve their devices. */
  readonly owners: boolean;
}

/** Where somebody writes the code that a device shows, and proves who he is. */
export function codePage({ userCode = '', problem, owners }: CodePage): string {
  const proof = owners
    ? `<p>Then show who you are, in one of these ways.</p>
<fieldset>
<legend>You own the device</legend>
<label for="mail">Your mail address, to which a code is sent</label>
<input id="mail" name="owner_mail" type="email" autocomplete="email" maxlength="320">
<label for="app">Or the code of your authenticator app for this device</label>
<input id="app" name="app_code" inputmode="numeric" autocomplete="one-time-code" maxlength="16">
</fieldset>
<fieldset>
<legend>You are an operator</legend>
<label for="token">Your operator token</label>
<input id="token" name="operator_token" type="password" autocomplete="off" maxlength="512">
</fieldset>`
    : `<label for="token">Your operator token</label>
<input id="token" name="operator_token" type="password" autocomplete="off" required maxlength="512">`;
  const who = owners ? '' : ', and the token that you have as an operator';
  return page(
    'Approve a device',
    `<h1>Approve a device</h1>
<p>A device shows a code and asks to be let in. Write the code here${who}.</p>
${problemOf(problem)}<form method="post" action="device">
<label for="code">Code on the device</label>
<input id="code" name="user_code" value="${escaped(userCode)}" autocomplete="off" autocapitalize="characters" spellcheck="false" required maxlength="32" aria-describedby="code-form">
<small id="code-form">Eight letters, such as BCDF-GHJK.</small>
${proof}
<button type="submit">Look at the request</button>
</form>`,
  );
}

/** Where an owner writes the code that was mailed; it reads the same whether a mail was sent or not. */
export function mailedCodePage(userCode: string, challenge: string, problem?: string): string {
  return page(
    'Look into your mail',
    `<h1>Look into your mail</h1>
<p>If the device that shows <strong>${escaped(shownCode(userCode))}</strong> is yours, a code was sent to your mail address. Write it here. It is good once, and for some minutes.</p>
${problemOf(problem)}<form method="post" action="device">
<input type="hidden" name="user_code" value="${escaped(userCode)}">
<input type="hidden" name="challenge" value="${escaped(challenge)}">
<label for="mailed">Code in the mail</label>
<input id="mailed" name="mailed_code" inputmode="numeric" autocomplete="one-time-code" required maxlength="16">
<button type="submit">Look at the request</button>
</form>
<p><a href="device">Begin anew</a></p>`,
  );
}

/** What the device asks for, and the question. `ticket` stands for who has proven who he is a moment ago. */
export function decisionPage(request: DeviceRequest, organisation: string, ticket: string): string {
  const scopes =
    request.scopes.length === 0
      ? '<dd>everything that the policy permits to it</dd>'
      : request.scopes.map((scope) => `<dd><code>${escaped(scope)}</code></dd>`).join('');
  return page(
    'Approve this device?',
    `<h1>Approve this device?</h1>
<p>Approve it only if you stand before the device, or know who does, and it shows the code <strong>${escaped(shownCode(request.userCode))}</strong>.</p>
<dl>
<dt>Device</dt><dd>${escaped(request.principal)}</dd>
<dt>Organisation</dt><dd>${escaped(organisation)}</dd>
<dt>Asked from</dt><dd>${escaped(request.address)}</dd>
<dt>Asked at</dt><dd>${escaped(new Date(request.askedAt).toISOString())}</dd>
<dt>It wants to</dt>${scopes}
</dl>
<form method="post" action="device">
<input type="hidden" name="user_code" value="${escaped(request.userCode)}">
<input type="hidden" name="ticket" value="${escaped(ticket)}">
<button type="submit" name="decision" value="approve">Approve</button>
<button type="submit" name="decision" value="deny">Deny</button>
</form>`,
  );
}

/** The end of it. */
export function donePage(request: DeviceRequest, approved: boolean): string {
  const title = approved ? 'The device is approved' : 'The device is denied';
  const text = approved
    ? 'It gets its access token the next time that it asks, within some seconds.'
    : 'It gets no access token. Its code cannot be used any more.';
  return page(title, `<h1>${title}</h1>\n<p>${escaped(request.principal)}</p>\n<p>${text}</p>`);
}

/** `BCDFGHJK` as the device shows it: `BCDF-GHJK`. */
function shownCode(code: string): string {
  return code.replace(/^(.{4})(.{4})$/, '$1-$2');
}

function problemOf(problem: string | undefined): string {
  return problem === undefined ? '' : `<p class="problem" role="alert">${escaped(problem)}</p>\n`;
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} - Sallyport</title>
<style>${STYLE}</style>
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
