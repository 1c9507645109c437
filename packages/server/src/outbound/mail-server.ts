import { createTransport } from 'nodemailer';

export interface MailServerOptions {
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
}

/** A mail in plain text. */
export interface Mail {
  /** Plain addresses, each known to be one. */
  readonly to: readonly string[];
  /** One line. */
  readonly subject: string;
  readonly text: string;
}

export type SendMail = (mail: Mail) => Promise<void>;

/** Sends mails by one mail server, whose certificate is always verified. Rejects unless the mail server took the mail. */
export function mailServer(options: MailServerOptions): SendMail {
  const { host, port, implicitTls, allowPlaintextMail, username, password, ca, from, timeout } = options;
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
  return async ({ to, subject, text }) => {
    await transport.sendMail({
      from,
      to: to.map((address) => ({ name: '', address })),
      subject,
      text,
      headers: { 'Auto-Submitted': 'auto-generated' },
    });
  };
}
