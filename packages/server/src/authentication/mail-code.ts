import { createTransport } from 'nodemailer';
import type { CodeLetter, DeliverCode } from './unlock-desk.ts';

export interface MailCodeOptions {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte; else STARTTLS is demanded, unless `allowPlaintextMail`. */
  readonly implicitTls: boolean;
  readonly allowPlaintextMail: boolean;
  readonly username?: string;
  readonly password?: string;
  /** PEM of authorities to trust; those of the machine if left out. */
  readonly ca?: string;
  readonly from: string;
  /** Milliseconds. */
  readonly timeout: number;
  readonly now: () => number;
}

/** Sends codes to the mail addresses of owners. The server's certificate is always verified. */
export function mailCode(options: MailCodeOptions): DeliverCode {
  const { host, port, implicitTls, allowPlaintextMail, username, password, ca, from, timeout, now } = options;
  const transport = createTransport({
    host,
    port,
    secure: implicitTls,
    requireTLS: !implicitTls && !allowPlaintextMail,
    ignoreTLS: allowPlaintextMail && !implicitTls,
    tls: { minVersion: 'TLSv1.2', ...(ca !== undefined && { ca }) },
    ...(username !== undefined && password !== undefined && { auth: { user: username, pass: password } }),
    connectionTimeout: timeout,
    greetingTimeout: timeout,
    socketTimeout: timeout,
    // Nothing of a mail may be read from this machine or fetched for it.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return async (letter) => {
    if (letter.owner === undefined)
      throw new Error('Neither the device nor its type has an owner with a mail address.');
    await transport.sendMail({
      from,
      to: { name: '', address: letter.owner },
      subject: `Code for ${nameOf(letter)}`,
      text: textOf(letter, now()),
      headers: { 'Auto-Submitted': 'auto-generated' },
    });
  };
}

function nameOf({ principal }: CodeLetter): string {
  return principal.replace(/^[a-z]+:[^/]*\//, '');
}

function textOf(letter: CodeLetter, now: number): string {
  const minutes = Math.max(1, Math.round((letter.expiresAt - now) / 60_000));
  return [
    `${letter.code} is the code for ${nameOf(letter)} (${letter.principal}).`,
    '',
    `Enter it at the device within ${minutes} minute${minutes === 1 ? '' : 's'}. It is good once, for the connection that the device has now.`,
    `The device came from ${letter.address}.`,
    '',
    'If you are not at the device, somebody else is: tell nobody the code.',
    '',
  ].join('\n');
}
