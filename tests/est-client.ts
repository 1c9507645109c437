import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** What a server answered to curl. */
export interface EstAnswer {
  readonly status: number;
  readonly headers: string;
  readonly body: string;
}

export interface EstAsked {
  readonly path?: string;
  readonly port: number;
  /** `USER:CODE`. */
  readonly user?: string;
  /** File names of a certificate and its key, in the folder. */
  readonly pair?: readonly [string, string];
  /** Body as it is sent; the Base64 of a request made by {@link EstClient.request}. */
  readonly body?: string;
  readonly type?: string;
  readonly method?: string;
}

/** An EST client made of curl and openssl, with a folder of its own. */
export class EstClient {
  readonly folder = mkdtempSync(join(tmpdir(), 'sallyport-est-'));
  readonly #curl: string;
  readonly #openssl: string;

  constructor(programs: { readonly curl: string; readonly openssl: string }, rootFile: string) {
    this.#curl = programs.curl;
    this.#openssl = programs.openssl;
    this.#rootFile = rootFile;
  }
  readonly #rootFile: string;

  openssl(...args: string[]): string {
    return execFileSync(this.#openssl, args, { cwd: this.folder, encoding: 'utf8', stdio: 'pipe' });
  }

  file(name: string): string {
    return readFileSync(join(this.folder, name), 'utf8');
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text);
  }

  /** A request in Base64; the key stays in `NAME-key.pem`. */
  request(name: string, subject: string, key = ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256']): string {
    const made = ['req', '-new', '-newkey', ...key, '-nodes', '-keyout', `${name}-key.pem`, '-outform', 'DER'];
    this.openssl(...made, '-out', `${name}.csr`, '-subj', subject);
    return readFileSync(join(this.folder, `${name}.csr`)).toString('base64');
  }

  /** Not synchronous: the server may live in this process. */
  async ask({
    path = 'simpleenroll',
    port,
    user,
    pair,
    body,
    type = 'application/pkcs10',
    method,
  }: EstAsked): Promise<EstAnswer> {
    if (body !== undefined) this.write('body', body);
    const { stdout: text } = await promisify(execFile)(
      this.#curl,
      [
        ...['-s', '-i', '--http1.1', '--cacert', this.#rootFile, '--max-time', '60'],
        ...(user === undefined ? [] : ['-H', `Authorization: Basic ${Buffer.from(user).toString('base64')}`]),
        ...(pair === undefined ? [] : ['--cert', pair[0], '--key', pair[1]]),
        ...(body === undefined ? [] : ['-H', `Content-Type: ${type}`, '--data-binary', '@body', '-H', 'Expect:']),
        ...(method === undefined ? [] : ['-X', method]),
        `https://localhost:${port}/.well-known/est/${path}`,
      ],
      { cwd: this.folder, encoding: 'utf8' },
    );
    const border = text.indexOf('\r\n\r\n');
    const headers = text.slice(0, border);
    return { status: Number(headers.split(' ')[1]), headers: headers.toLowerCase(), body: text.slice(border + 4) };
  }

  /** The certificates of a certs-only answer as `openssl pkcs7` sees them, in PEM; kept in `NAME.pem`. */
  certificates({ body }: EstAnswer, name: string): string[] {
    this.write(`${name}.b64`, body);
    this.openssl('base64', '-d', '-in', `${name}.b64`, '-out', `${name}.p7`);
    this.openssl('pkcs7', '-inform', 'DER', '-in', `${name}.p7`, '-print_certs', '-out', `${name}.pem`);
    return this.file(`${name}.pem`).match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  }

  close(): void {
    if (existsSync(this.folder)) rmSync(this.folder, { recursive: true, force: true });
  }
}
