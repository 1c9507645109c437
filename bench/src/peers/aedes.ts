import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { plainIdentities } from '../identity.ts';
import { endProcess, freePort, type PeerOptions, type RunningPeer } from './peer.ts';
import { makeServerCertificate } from './server-certificate.ts';

/** aedes in a process of its own, with callbacks that check passwords and every message. */
export async function startAedes({ folder, population, cores }: PeerOptions): Promise<RunningPeer> {
  const identities = plainIdentities(population);
  const { keyFile, certificateFile, certificate } = makeServerCertificate(folder);
  const port = await freePort();
  const tlsPort = await freePort();
  const pinned = cores === undefined ? {} : { execPath: 'taskset', execArgv: ['-c', cores, process.execPath] };
  const child = fork(fileURLToPath(new URL('aedes-process.js', import.meta.url)), [], pinned);
  child.send({ identities, port, tlsPort, keyFile, certificateFile });
  const [version] = (await Promise.race([once(child, 'message'), once(child, 'exit')])) as unknown[];
  if (typeof version !== 'string') throw new Error('aedes did not start');
  return {
    name: 'aedes',
    version,
    pid: child.pid ?? 0,
    plain: { host: '127.0.0.1', port, tls: false, certificate: '' },
    tls: { host: '127.0.0.1', port: tlsPort, tls: true, certificate },
    identities,
    durable: false,
    stop: () => endProcess(child),
  };
}
