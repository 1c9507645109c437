import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { plainIdentities } from '../identity.ts';
import { endProcess, freePort, type PeerOptions, type RunningPeer } from './peer.ts';
import { makeServerCertificate } from './server-certificate.ts';

/** A peer that is a module beside this one: it is told where to listen and whom to know, and answers its version when it serves. */
export async function startModule(
  name: string,
  module: string,
  { folder, population, cores }: PeerOptions,
): Promise<RunningPeer> {
  const identities = plainIdentities(population);
  const { keyFile, certificateFile, certificate } = makeServerCertificate(folder);
  const port = await freePort();
  const tlsPort = await freePort();
  const pinned = cores === undefined ? {} : { execPath: 'taskset', execArgv: ['-c', cores, process.execPath] };
  const child = fork(fileURLToPath(new URL(module, import.meta.url)), [], pinned);
  child.send({ identities, port, tlsPort, keyFile, certificateFile });
  const [version] = (await Promise.race([once(child, 'message'), once(child, 'exit')])) as unknown[];
  if (typeof version !== 'string') throw new Error(`${name} did not start`);
  return {
    name,
    version,
    pid: child.pid ?? 0,
    plain: { host: '127.0.0.1', port, tls: false, certificate: '' },
    tls: { host: '127.0.0.1', port: tlsPort, tls: true, certificate },
    identities,
    durable: false,
    stop: () => endProcess(child),
  };
}
