import { get } from 'node:https';
import { createCertificateRequest, generateKeyPair } from '@sallyport/trust';
import { cpuSeconds } from '../cpu-time.ts';
import { SALLYPORT_ORGANISATION } from '../peers/sallyport.ts';
import { median } from '../statistics.ts';
import { principalOf, type SallyportPeer } from './peers.ts';

const TIMES = 5;
/** A list is made anew at most once in a second, or in ten times of what it takes. */
const PATIENCE = 60_000;

/** Revokes a certificate, and asks for the list until it names one more: how long a list takes, and how long the news does. */
export async function lists(peer: SallyportPeer, name: string): Promise<string> {
  const { items } = await peer.api.authorities.list(SALLYPORT_ORGANISATION);
  const id = items[0]?.id.slice(0, 16) ?? '';
  const fetchList = () => fetched(`https://localhost:${peer.port}/pki/crl/${id}.crl`, peer.target.certificate);
  let size = (await fetchList()).length;
  const made: number[] = [];
  const news: number[] = [];
  const cpu: number[] = [];
  for (let time = 0; time < TIMES; time++) {
    const [identity] = peer.byToken;
    if (!identity) throw new Error('there is no client');
    const { certificate } = await issue(peer, principalOf(identity));
    await peer.api.certificates.revoke(SALLYPORT_ORGANISATION, certificate.id);
    const revokedAt = performance.now();
    for (let now = revokedAt; now - revokedAt < PATIENCE; now = performance.now()) {
      const cpuBefore = cpuSeconds(peer.pid);
      const list = await fetchList();
      if (list.length === size) {
        await new Promise((resolve) => setTimeout(resolve, 100));
        continue;
      }
      made.push(performance.now() - now);
      cpu.push(cpuSeconds(peer.pid) - cpuBefore);
      news.push(performance.now() - revokedAt);
      size = list.length;
      break;
    }
  }
  const ms = (values: readonly number[]) => `${Math.round(median(values))} ms`;
  return `List with ${name}: ${(size / 1e6).toFixed(2)} MB, made and sent in ${ms(made)} (${median(cpu).toFixed(2)} CPU s); published ${ms(news)} after a revocation.`;
}

/** Certificates issued through the API, from requests that were made beforehand. */
export async function enrolments(peer: SallyportPeer, duration: number): Promise<string> {
  const principals: string[] = [];
  for (let index = 0; index < 100; index++) {
    const id = `enrol-${index}`;
    await peer.api.devices.create({ organisation: SALLYPORT_ORGANISATION, type: 'crowd', id });
    principals.push(`device:${SALLYPORT_ORGANISATION}/crowd/${id}`);
  }
  const csr = await createCertificateRequest({ keys: await generateKeyPair(), commonName: 'bench' });
  let count = 0;
  const cpuBefore = cpuSeconds(peer.pid);
  const began = performance.now();
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      while (performance.now() - began < duration) {
        const principal = principals[count++ % principals.length] ?? '';
        await peer.api.certificates.issue(SALLYPORT_ORGANISATION, { principal, csr });
      }
    }),
  );
  const seconds = (performance.now() - began) / 1000;
  const cpu = cpuSeconds(peer.pid) - cpuBefore;
  return `Enrolments (certificate issued, recorded and audited on disk): ${Math.round(count / seconds)} per second, ${Math.round(count / cpu)} per CPU s.`;
}

async function issue(peer: SallyportPeer, principal: string) {
  const csr = await createCertificateRequest({ keys: await generateKeyPair(), commonName: 'bench' });
  return peer.api.certificates.issue(SALLYPORT_ORGANISATION, { principal, csr });
}

function fetched(url: string, ca: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    get(url, { ca }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        if (response.statusCode === 200) resolve(Buffer.concat(chunks));
        else reject(new Error(`${url} answered ${response.statusCode}`));
      });
    }).on('error', reject);
  });
}
