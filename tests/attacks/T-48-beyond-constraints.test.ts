import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readCertificate, verifyChain } from '@sallyport/trust';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWith } from '../programs.ts';

describeWith(['openssl'], 'an authority that certifies names beyond its constraints', ({ openssl = '' }) => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'sallyport-names-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const path = (name: string): string => join(folder, name);
  function run(...args: string[]): void {
    const { status, stderr } = spawnSync(openssl, args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`openssl ${args.join(' ')}: ${stderr}`);
  }
  const NEW = ['req', '-nodes', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];

  /** DER of a certificate of openssl; without `by` it signs itself. */
  async function made(name: string, subject: string, extensions: string, by?: string): Promise<Uint8Array> {
    const file = path(`${name}.cnf`);
    writeFileSync(file, `[req]\ndistinguished_name=dn\n[dn]\n[e]\n${extensions}\n[names]\nO=Plant\n`);
    run(...NEW, '-new', '-config', file, '-subj', subject, '-keyout', path(`${name}.key`), '-out', path(`${name}.csr`));
    const signer =
      by === undefined ? ['-signkey', path(`${name}.key`)] : ['-CA', path(`${by}.pem`), '-CAkey', path(`${by}.key`)];
    const rest = ['-set_serial', '7', '-days', '9', '-extfile', file, '-extensions', 'e', '-out', path(`${name}.pem`)];
    run('x509', '-req', '-in', path(`${name}.csr`), ...signer, ...rest);
    const read = await readCertificate(readFileSync(path(`${name}.pem`), 'utf8'));
    if (!read.ok) throw new Error(read.problem);
    return read.value.der;
  }

  const AUTHORITY = 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\nnameConstraints=critical,';
  const CASES: readonly (readonly [constraint: string, name: string, permitted: boolean, subject?: string])[] = [
    ['permitted;email:plant.example', 'email:a@plant.example', true],
    ['permitted;email:plant.example', 'email:a@line.plant.example', false],
    ['permitted;email:.plant.example', 'email:a@line.plant.example', true],
    ['permitted;email:a@plant.example', 'email:b@plant.example', false],
    ['permitted;email:plant.example', '', false, '/emailAddress=a@other.example'],
    ['permitted;DNS:plant.example', 'DNS:a.plant.example', true],
    ['permitted;DNS:plant.example', 'DNS:plant.example.evil.example', false],
    ['permitted;DNS:plant.example', 'DNS:notplant.example', false],
    ['excluded;DNS:plant.example', 'DNS:A.PLANT.example', false],
    ['excluded;DNS:plant.example', 'DNS:other.example', true],
    ['permitted;URI:.plant.example', 'URI:https://a.plant.example/x', true],
    ['permitted;URI:plant.example', 'URI:https://plant.example@evil.example/', false],
    ['permitted;URI:plant.example', 'URI:https://evil.example/plant.example', false],
    ['permitted;URI:plant.example', 'URI:d:pump:pump-7', false],
    ['permitted;IP:192.0.2.0/255.255.255.0', 'IP:192.0.2.9', true],
    ['permitted;IP:192.0.2.0/255.255.255.0', 'IP:192.0.3.9', false],
    ['permitted;dirName:names', '', true, '/O=plant/CN=d:pump:pump-7'],
    ['permitted;dirName:names', '', false, '/O=Other/CN=d:pump:pump-7'],
    ['excluded;dirName:names', '', false, '/O=Plant/CN=d:pump:pump-7'],
    ['permitted;DNS:plant.example', 'email:whoever@other.example', true],
    ['permitted;otherName:1.2.3.4;UTF8:x', 'otherName:1.2.3.4;UTF8:x', false],
  ];

  const WHOLE = CASES.map(([constraint, name, permitted, subject = '/CN=d:pump:pump-7']) => {
    return [constraint, name, permitted, subject] as const;
  });

  it.each(WHOLE)('%s and %s: permitted %s', async (constraint, name, permitted, subject) => {
    const root = await made('root', '/CN=Root', `${AUTHORITY}${constraint}`);
    const line = await made('line', '/O=Plant/CN=Line', 'basicConstraints=critical,CA:TRUE', 'root');
    const alternative = name === '' ? '' : `subjectAltName=${name}`;
    const leaf = await made('leaf', subject, `keyUsage=critical,digitalSignature\n${alternative}`, 'line');
    const answer = await verifyChain({ chain: [leaf, line], roots: [root], at: Date.now(), purpose: 'client' });
    if (permitted) expect(answer).toMatchObject({ verified: true });
    else expect(answer).toMatchObject({ verified: false, reason: 'name_not_permitted' });
  });
});
