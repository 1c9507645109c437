import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectManagement, type Management } from '@sallyport/application/management';
import { loadConfiguration, type RunningServer, startServer } from '@sallyport/server';
import {
  createCertificateRequest,
  createRevocationList,
  createRootAuthority,
  generateKeyPair,
  keyPairToPem,
  readRevocationList,
} from '@sallyport/trust';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { knock, type Pair } from '../certificate-clients.ts';
import type { TestServer } from '../server.ts';
import { RunningProgram, SALLYPORT } from '../walks/sallyport-process.ts';

const YEAR = 365 * 86_400_000;
const clientId = 'd:demo:pump:pump-7';

describe('authorities of the server that near their end', { timeout: 120_000 }, () => {
  let directory: string;
  let running: (RunningServer & { readonly api: Management }) | undefined;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'sallyport-ends-'));
  });
  afterEach(async () => {
    await stop();
    rmSync(directory, { recursive: true, force: true });
  });

  /** A server whose clock is wrong by so much. */
  async function start(ago = 0): Promise<RunningServer & { readonly api: Management }> {
    const configuration = loadConfiguration({
      overrides: {
        dataDirectory: directory,
        'listeners.mqttTls.port': 0,
        'listeners.http.port': 0,
        'log.level': 'silent',
        'revocation.publicUrl': 'https://pki.test',
      },
    });
    const server = await startServer({ configuration, now: () => Date.now() - ago });
    const api = connectManagement({
      url: `https://localhost:${server.httpPort}`,
      token: readFileSync(join(directory, 'operator.token'), 'utf8'),
      ca: server.rootPem,
    });
    running = Object.assign(Object.create(server) as RunningServer, { api });
    return running;
  }
  async function stop(): Promise<void> {
    running?.api.close();
    await running?.close();
    running = undefined;
  }
  /** Nine and a half years ago: an organisation, a device, and a certificate that lasts as long as its authority does. */
  async function begin(): Promise<Pair> {
    const { registry } = await start(9.5 * YEAR);
    const by = 'system';
    await registry.organisations.create({ id: 'demo', name: 'Demo', by });
    await registry.types.create({ organisation: 'demo', id: 'pump', class: 'device', security: 'tls-certificate', by });
    await registry.devices.create({ organisation: 'demo', type: 'pump', id: 'pump-7', by });
    // The certificate of the API has ended long ago, as a client sees it; so the authority is asked where it lies.
    await expect
      .poll(() => existsSync(join(directory, 'pki', 'organisations', 'demo')), { timeout: 20_000 })
      .toBe(true);
    await stop();
    const { openAuthority } = await import('../../packages/server/src/authority/authority.ts');
    const { signCertificate } = await import('../../packages/server/src/http/issue-certificate.ts');
    const { openInstallation } = await import('../../packages/server/src/installation.ts');
    const now = () => Date.now() - 9.5 * YEAR;
    const configuration = loadConfiguration({ overrides: { dataDirectory: directory } });
    const installation = await openInstallation({ configuration, now });
    const authority = await openAuthority({ directory: join(directory, 'pki'), dnsNames: [], now });
    const keys = await generateKeyPair();
    const { facts, chainPem } = await signCertificate(authority, {
      organisation: 'demo',
      publicKey: keys.publicKey,
      commonName: 'd:pump:pump-7',
      validity: 20 * YEAR,
    });
    await installation.registry.certificates.recordIssued({ ...facts, principal: 'device:demo/pump/pump-7', by });
    await installation.close();
    return { key: await keyPairToPem(keys), cert: chainPem };
  }
  async function codeOf(pair: Pair, ca: string): Promise<number | 'closed'> {
    const at = { port: running?.mqttPort ?? 0, rootPem: ca } as TestServer;
    const { code, client } = await knock(at, { clientId, ...pair });
    await client.endAsync(true);
    return code;
  }
  async function issue(api: Management): Promise<Pair> {
    const keys = await generateKeyPair();
    const csr = await createCertificateRequest({ keys, commonName: 'x' });
    const { chainPem } = await api.certificates.issue('demo', { principal: 'device:demo/pump/pump-7', csr });
    return { key: await keyPairToPem(keys), cert: chainPem };
  }

  it('get successors in time: the old one still vouches for what it signed, the new one signs, both are shown and published', async () => {
    const old = await begin();
    const { api, rootPem } = await start();
    const succeeded = async () => (await api.audit({ type: 'authority.succeeded' })).items;
    await expect.poll(async () => (await succeeded()).length, { timeout: 30_000 }).toBe(2);
    const { items } = await api.authorities.list('demo');
    expect(items.filter(({ succeededBy }) => succeededBy === undefined)).toHaveLength(2);
    const [signs, before] = items;
    expect(before?.succeededBy).toBe(signs?.id);
    expect(Date.parse(signs?.notAfter ?? '')).toBeGreaterThan(Date.parse(before?.notAfter ?? '') + 8 * YEAR);

    const fresh = await issue(api);
    expect(await codeOf(old, rootPem)).toBe(0);
    expect(await codeOf(fresh, rootPem)).toBe(0);
    for (const one of [signs, before]) {
      const list = await fetchPublished(`/pki/crl/${one?.id.slice(0, 16)}.crl`);
      expect(await readRevocationList({ list, issuer: derOf(one?.pem ?? '') })).toMatchObject({ ok: true });
    }
    const [record] = (await api.certificates.list('demo')).items.slice(-1);
    await api.certificates.revoke('demo', record?.id ?? '');
    expect(await codeOf(old, rootPem)).not.toBe(0);
    expect(await codeOf(fresh, rootPem)).toBe(0);

    // And it is the same after a restart, which makes no further ones.
    await stop();
    await start();
    expect(await codeOf(fresh, rootPem)).toBe(0);
    const folder = join(directory, 'pki', 'organisations', 'demo');
    expect(readdirSync(folder).filter((name) => name.startsWith('successor'))).toEqual(['successor-1']);
  });

  it('are told of ahead while the root key is offline, and succeeded when it is back', async () => {
    const old = await begin();
    const key = join(directory, 'pki', 'root-key.pem');
    renameSync(key, `${key}.kept`);
    const first = await start();
    const ending = async () => (await first.api.audit({ type: 'authority.ending' })).items;
    await expect.poll(async () => (await ending()).length, { timeout: 30_000 }).toBe(2);
    expect((await ending())[0]).toMatchObject({ details: { why: 'root_key_absent' } });
    expect(await codeOf(old, first.rootPem)).toBe(0);
    await stop();
    renameSync(`${key}.kept`, key);
    const { api, rootPem } = await start();
    await expect
      .poll(async () => (await api.audit({ type: 'authority.succeeded' })).items.length, { timeout: 30_000 })
      .toBe(2);
    expect(await codeOf(await issue(api), rootPem)).toBe(0);
  });

  it('that have ended vouch for nothing, do not stop the start, and give way to a new one', async () => {
    const old = await begin();
    const folder = join(directory, 'pki', 'organisations', 'demo');
    await start();
    await expect.poll(() => existsSync(join(folder, 'successor-1')), { timeout: 30_000 }).toBe(true);
    await stop();
    // A certificate of the server that outlives the first authority too, or no client of today would talk to the server of tomorrow.
    rmSync(join(directory, 'pki', 'server.pem'));
    await start();
    await stop();
    // As if the key of the root had been away all the time.
    rmSync(join(folder, 'successor-1'), { recursive: true });
    const { api, rootPem } = await start(-0.9 * YEAR);
    expect(await codeOf(old, rootPem)).not.toBe(0);
    expect(await codeOf(await issue(api), rootPem)).toBe(0);
    expect(readdirSync(folder)).toContain('successor-1');
    await stop();
    // The organisation goes with all of its authorities.
    const again = await start(-0.9 * YEAR);
    await again.registry.devices.remove({ organisation: 'demo', type: 'pump', id: 'pump-7', by: 'system' });
    await again.registry.types.remove({ organisation: 'demo', id: 'pump', by: 'system' });
    await again.registry.organisations.remove({ id: 'demo', by: 'system' });
    await expect
      .poll(() => existsSync(join(directory, 'pki', 'organisations', 'demo')), { timeout: 20_000 })
      .toBe(false);
    expect(await codeOf(old, again.rootPem)).not.toBe(0);
  });

  it('a root is certified anew beside the old one: clients that have either find the server, and certificates stay good', async () => {
    await start();
    await running?.registry.organisations.create({ id: 'demo', name: 'Demo', by: 'system' });
    await running?.registry.types.create({
      organisation: 'demo',
      id: 'pump',
      class: 'device',
      security: 'tls-certificate',
      by: 'system',
    });
    await running?.registry.devices.create({ organisation: 'demo', type: 'pump', id: 'pump-7', by: 'system' });
    const pair = await issue(running?.api as Management);
    const oldRoot = running?.rootPem ?? '';
    const run = async (...args: string[]) => {
      const program = new RunningProgram(process.execPath, [SALLYPORT, 'ca', 'root', ...args, '--data-dir', directory]);
      return { exitCode: await program.exited, said: program.out + program.err };
    };
    expect((await run('renew')).exitCode).toBe(2);
    const renewed = await run('renew', '--yes');
    expect(renewed, renewed.said).toMatchObject({ exitCode: 0 });
    await stop();
    const { rootPem } = await start();
    expect(rootPem).not.toBe(oldRoot);
    expect(await codeOf(pair, oldRoot)).toBe(0);
    expect(await codeOf(pair, rootPem)).toBe(0);
    const kept = readdirSync(join(directory, 'pki')).find((name) => /^root-[0-9a-f]{16}\.pem$/.test(name));
    expect(readFileSync(join(directory, 'pki', kept ?? ''), 'utf8')).toBe(oldRoot);
    const key = join(directory, 'pki', 'root-key.pem');
    renameSync(key, `${key}.kept`);
    expect((await run('renew', '--yes')).exitCode).toBe(1);
  });

  it('a list of the root is there while its key is offline, signed ahead; one that somebody has put there is not published', async () => {
    const { rootPem } = await start();
    const file = join(directory, 'pki', 'root.crl');
    await expect.poll(() => existsSync(file), { timeout: 20_000 }).toBe(true);
    const root = derOf(rootPem);
    const id = (await import('@sallyport/trust')).fingerprintSha256;
    const path = `/pki/crl/${(await id(root)).slice(0, 16)}.crl`;
    const short = await readRevocationList({ list: await fetchPublished(path), issuer: root });
    const key = join(directory, 'pki', 'root-key.pem');
    renameSync(key, `${key}.kept`);
    const ahead = await readRevocationList({ list: await fetchPublished(path), issuer: root });
    if (!short.ok || !ahead.ok) throw new Error('no list of the root');
    expect(ahead.value.nextUpdate - Date.now()).toBeGreaterThan(YEAR);
    expect(short.value.nextUpdate).toBeLessThan(ahead.value.nextUpdate);

    const stranger = await createRootAuthority({ commonName: 'Sallyport root', now: Date.now(), validity: YEAR });
    async function* nothing() {}
    const dates = { number: 1, thisUpdate: Date.now(), nextUpdate: Date.now() + YEAR };
    writeFileSync(file, await createRevocationList({ authority: stranger, ...dates, revoked: nothing() }));
    await expect(fetchPublished(path)).rejects.toThrow('404');
  });

  async function fetchPublished(path: string): Promise<Uint8Array> {
    const { request } = await import('node:https');
    return new Promise((resolve, reject) => {
      const options = { host: 'localhost', port: running?.httpPort, path, ca: running?.rootPem, agent: false };
      request(options, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          response.statusCode === 200 ? resolve(Buffer.concat(chunks)) : reject(new Error(String(response.statusCode))),
        );
      })
        .on('error', reject)
        .end();
    });
  }
});

function derOf(pem: string): Uint8Array {
  return Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64');
}
