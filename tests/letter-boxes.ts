import { readFileSync, writeFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { SMTPServer } from 'smtp-server';
import type { TestServer } from './server.ts';

/** What is to be closed when a test has ended. */
export type Open = { close(): Promise<unknown> | unknown }[];

export interface ReceivedMail {
  readonly to: readonly string[];
  readonly text: string;
  readonly secure: boolean;
}

/** What our web services share with whoever signs what is posted to them. */
export const HOOK_SECRET = 'a secret of the web service';

/**
 * The certificate and key of one server of ours stand in for those of mail servers and web services: they are good for localhost, to
 * whoever trusts the root of that server.
 */
export function credentialsOf({ directory }: TestServer) {
  return {
    key: readFileSync(join(directory, 'pki', 'server-key.pem')),
    cert: readFileSync(join(directory, 'pki', 'server.pem')),
  };
}

/** A mail server that keeps what comes. */
export async function mailBox(
  authority: TestServer,
  open: Open,
  options: ConstructorParameters<typeof SMTPServer>[0] = {},
) {
  const mails: ReceivedMail[] = [];
  const smtp = new SMTPServer({
    ...credentialsOf(authority),
    authOptional: true,
    logger: false,
    onAuth: ({ username, password }, _session, done) =>
      username === 'sallyport' && password === 'open sesame'
        ? done(null, { user: username })
        : done(new Error('wrong password')),
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const to = session.envelope.rcptTo.map(({ address }) => address);
        mails.push({ to, text: Buffer.concat(chunks).toString(), secure: session.secure });
        done();
      });
    },
    ...options,
  });
  smtp.on('error', () => {});
  await new Promise<void>((resolve) => smtp.listen(0, '127.0.0.1', resolve));
  open.push({ close: () => new Promise<void>((resolve) => smtp.close(() => resolve())) });
  const { port } = smtp.server.address() as AddressInfo;
  const settings = {
    'unlock.mail.host': 'localhost',
    'unlock.mail.port': port,
    'unlock.mail.from': 'sallyport@example.com',
    'unlock.mail.ca': authority.rootFile,
  };
  return { mails, settings };
}

/** A web service that keeps what is posted to it, and answers with a status that can be changed. */
export async function webService(
  authority: TestServer,
  open: Open,
  answer: { status: number },
  headers: Readonly<Record<string, string>> = {},
) {
  const requests: { headers: IncomingHttpHeaders; body: string }[] = [];
  const service: Server = createServer(credentialsOf(authority), (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      requests.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
      response.writeHead(answer.status, headers).end();
    });
  });
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
  open.push({ close: () => new Promise<void>((resolve) => service.close(() => resolve())) });
  const secretFile = join(authority.directory, 'hook-secret');
  writeFileSync(secretFile, `${HOOK_SECRET}\n`, { mode: 0o600 });
  const url = `https://localhost:${(service.address() as AddressInfo).port}/told`;
  /** The settings of a web hook below `section`. */
  const settings = (section: string) => ({
    [`${section}.url`]: url,
    [`${section}.secretFile`]: secretFile,
    [`${section}.ca`]: authority.rootFile,
  });
  return { requests, settings, url };
}
