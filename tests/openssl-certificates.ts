import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pair } from './certificate-clients.ts';

/** Extensions of an ordinary client certificate, as openssl reads them. */
export const CLIENT =
  'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth';
/** Extensions of an authority. */
export const AUTHORITY = 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign';

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];

interface Wish {
  readonly name: string;
  readonly by?: string;
  readonly subject?: string;
  readonly extensions?: string;
  readonly more?: readonly string[];
  readonly key?: readonly string[];
  /** Takes the key of another one that was made. */
  readonly keyOf?: string;
}

/** Certificates that openssl has made, each as `NAME.pem` and `NAME.key` in a temporary folder. */
export class OpensslCertificates {
  readonly folder = mkdtempSync(join(tmpdir(), 'sallyport-openssl-'));
  readonly #openssl: string;

  constructor(openssl: string) {
    this.#openssl = openssl;
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  pem(name: string): string {
    return readFileSync(this.path(`${name}.pem`), 'utf8');
  }

  run(...args: string[]): string {
    const { status, stdout, stderr } = spawnSync(this.#openssl, args, { encoding: 'utf8', cwd: this.folder });
    if (status !== 0) throw new Error(`openssl ${args.join(' ')}: ${stderr}`);
    return stdout;
  }

  /** A certificate with its key; without `by` it signs itself. */
  make({ name, by, subject = '/CN=d:pump:pump-7', extensions = '', more = [], key = KEY, keyOf }: Wish): void {
    const file = this.path(`${name}.cnf`);
    writeFileSync(file, `[req]\ndistinguished_name=dn\n[dn]\n[e]\n${extensions}\n`);
    const keyFile = this.path(`${name}.key`);
    if (keyOf !== undefined) writeFileSync(keyFile, readFileSync(this.path(`${keyOf}.key`)));
    const keys = keyOf === undefined ? [...key, '-keyout', keyFile] : ['-key', keyFile];
    const csr = this.path(`${name}.csr`);
    this.run('req', '-new', '-nodes', '-utf8', ...keys, '-config', file, '-subj', subject, '-out', csr);
    const signer =
      by === undefined ? ['-signkey', keyFile] : ['-CA', this.path(`${by}.pem`), '-CAkey', this.path(`${by}.key`)];
    const serial = more.includes('-set_serial') ? [] : ['-set_serial', `0x${Buffer.from(name).toString('hex')}`];
    const days = more.includes('-not_after') || more.includes('-days') ? [] : ['-days', '30'];
    const shape = ['-extfile', file, '-extensions', 'e', ...more, '-out', this.path(`${name}.pem`)];
    this.run('x509', '-req', '-in', csr, ...signer, ...serial, ...days, ...shape);
  }

  /** Dates that x509 of older versions cannot set; `ca` can. */
  dated(name: string, from: string, to: string, extensions = CLIENT, by = 'root', subject = '/CN=d:pump:pump-7'): void {
    const file = this.path(`${name}.cnf`);
    writeFileSync(this.path(`${name}.txt`), '');
    writeFileSync(this.path(`${name}.serial`), `${Buffer.from(name).toString('hex')}\n`);
    writeFileSync(
      file,
      `[req]\ndistinguished_name=dn\n[dn]\n[ca]\ndefault_ca=c\n[c]\ndatabase=${this.path(`${name}.txt`)}\nserial=${this.path(`${name}.serial`)}\nnew_certs_dir=${this.folder}\ndefault_md=sha256\npolicy=p\nx509_extensions=e\nunique_subject=no\n[p]\ncommonName=supplied\n[e]\n${extensions}\n`,
    );
    const csr = this.path(`${name}.csr`);
    const keys = ['-keyout', this.path(`${name}.key`), '-out', csr];
    this.run('req', '-new', '-nodes', ...KEY, '-config', file, '-subj', subject, ...keys);
    const signer = ['-cert', this.path(`${by}.pem`), '-keyfile', this.path(`${by}.key`)];
    const dates = ['-startdate', from, '-enddate', to];
    this.run(
      'ca',
      '-batch',
      '-notext',
      '-config',
      file,
      '-in',
      csr,
      ...signer,
      ...dates,
      '-out',
      this.path(`${name}.pem`),
    );
  }

  /** What a client sends: the certificate and others behind it. */
  pair(name: string, ...behind: string[]): Pair {
    const chain = [name, ...behind].map((one) => this.pem(one)).join('');
    return { key: readFileSync(this.path(`${name}.key`), 'utf8'), cert: chain };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
