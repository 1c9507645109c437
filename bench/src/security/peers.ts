import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { connectManagement, type Management } from '@sallyport/application/management';
import {
  type CertificateAuthority,
  createCertificateRequest,
  createRevocationList,
  createRootAuthority,
  generateKeyPair,
  issueClientCertificate,
  keyPairToPem,
  pemOf,
} from '@sallyport/trust';
import type { Target } from '../generator/load-client.ts';
import type { Identity } from '../identity.ts';
import { endProcess, freePort, pinned } from '../peers/peer.ts';
import { SALLYPORT_ORGANISATION, startSallyport } from '../peers/sallyport.ts';
import { makeServerCertificate } from '../peers/server-certificate.ts';
import { makePast } from './past.ts';

/** A server with clients that can come with a certificate or without. */
export interface SecurityPeer {
  readonly pid: number;
  readonly target: Target;
  readonly byToken: readonly Identity[];
  readonly byCertificate: readonly Identity[];
  stop(): Promise<void>;
}

export interface SallyportPeer extends SecurityPeer {
  readonly api: Management;
  readonly port: number;
}

interface Place {
  readonly folder: string;
  readonly clients: number;
  readonly revoked: number;
  readonly cores: string | undefined;
}

/** `sallyport start` as it is installed; its authority has issued every certificate, and revoked many before. */
export async function startSallyportWithPast({ folder, clients, revoked, cores }: Place): Promise<SallyportPeer> {
  mkdirSync(folder);
  await makePast(folder, revoked);
  const peer = await startSallyport({ folder, population: { pub: 0, sub: 0, crowd: clients }, cores });
  const data = join(folder, 'data');
  const { httpPort } = JSON.parse(readFileSync(join(data, 'server.json'), 'utf8')) as { httpPort: number };
  const api = connectManagement({
    url: `https://localhost:${httpPort}`,
    token: readFileSync(join(data, 'operator.token'), 'utf8').trim(),
    ca: join(data, 'pki', 'root.pem'),
  });
  const byCertificate: Identity[] = [];
  for (const identity of peer.identities) {
    const keys = await generateKeyPair();
    const csr = await createCertificateRequest({ keys, commonName: 'bench' });
    const { chainPem } = await api.certificates.issue(SALLYPORT_ORGANISATION, {
      principal: principalOf(identity),
      csr,
    });
    byCertificate.push({ ...identity, pair: { key: await keyPairToPem(keys), cert: chainPem } });
  }
  return {
    pid: peer.pid,
    target: peer.tls,
    byToken: peer.identities,
    byCertificate,
    api,
    port: httpPort,
    async stop() {
      api.close();
      await peer.stop();
    },
  };
}

export function principalOf({ role, index }: Identity): string {
  return `device:${SALLYPORT_ORGANISATION}/${role}/${index}`;
}

async function listWith(authority: CertificateAuthority, count: number): Promise<string> {
  async function* revoked() {
    for (let done = 0; done < count; done += 5000) {
      yield Array.from({ length: Math.min(5000, count - done) }, () => ({
        serial: `40${randomBytes(15).toString('hex')}`,
        revokedAt: Date.now(),
      }));
    }
  }
  const now = Date.now();
  const der = await createRevocationList({
    authority,
    number: 1,
    thisUpdate: now - 60_000,
    nextUpdate: now + 86_400_000,
    revoked: revoked(),
  });
  return pemOf('X509 CRL', der);
}

/** mosquitto that demands certificates and takes the name from them, with a revocation list or without; `anonymous` demands nothing. */
export async function startMosquittoWithCertificates(
  place: Omit<Place, 'revoked'> & { readonly revoked: number | 'no list' | 'anonymous' },
): Promise<SecurityPeer> {
  const { folder, clients, revoked, cores } = place;
  mkdirSync(folder);
  const now = Date.now();
  const authority = await createRootAuthority({ commonName: 'Bench', now, validity: 86_400_000 });
  const at = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const { keyFile, certificateFile, certificate } = makeServerCertificate(folder);
  const port = await freePort();
  const list = typeof revoked === 'number' ? `crlfile ${at('list.pem', await listWith(authority, revoked))}` : '';
  const demands =
    revoked === 'anonymous'
      ? 'allow_anonymous true'
      : `cafile ${at('ca.pem', authority.pem)}\nrequire_certificate true\nuse_identity_as_username true\n${list}`;
  const file = at(
    'mosquitto.conf',
    `per_listener_settings false\npersistence false\nset_tcp_nodelay true\nlog_type error\n${process.getuid?.() === 0 ? 'user root' : ''}
listener ${port} 127.0.0.1\ncertfile ${certificateFile}\nkeyfile ${keyFile}\n${demands}\n`,
  );
  const binary = ['mosquitto', '/usr/sbin/mosquitto'].find((name) => !spawnSync(name, ['-h']).error);
  if (binary === undefined) throw new Error('mosquitto is not installed (Debian: apt-get install mosquitto)');
  const child = spawn(...pinned(cores, binary, ['-c', file]), { stdio: ['ignore', 'ignore', 'inherit'] });
  // Reading a list of 200,000 takes it a moment; the first handshake waits for it.
  await pause(2000);
  const identities: Identity[] = [];
  for (let index = 0; index < clients; index++) {
    const keys = await generateKeyPair();
    const { pem } = await issueClientCertificate({
      authority,
      publicKey: keys.publicKey,
      commonName: `crowd-${index}`,
      now,
    });
    const clientId = `crowd-${index}`;
    const pair = { key: await keyPairToPem(keys), cert: pem };
    identities.push({ role: 'crowd', index, clientId, username: clientId, password: '', pair });
  }
  const target = { host: '127.0.0.1', port, tls: true, certificate };
  const byToken = identities.map(({ pair: _, ...identity }) => identity);
  return { pid: child.pid ?? 0, target, byToken, byCertificate: identities, stop: () => endProcess(child) };
}
