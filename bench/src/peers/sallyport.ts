import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { connectManagement } from '@sallyport/application/management';
import { ALL_TOPICS, type Identity, type Population, ROLES, type Role, topicOf } from '../identity.ts';
import { endProcess, type PeerOptions, pinned, type RunningPeer } from './peer.ts';

const COMMAND = fileURLToPath(new URL('../../../packages/cli/bin/sallyport.js', import.meta.url));
export const SALLYPORT_ORGANISATION = 'bench';
const ORGANISATION = SALLYPORT_ORGANISATION;
const PATIENCE = 60_000;

/** Bounds that the other peers do not have are lifted here as they are there; nothing else differs from the defaults. */
const CONFIGURATION = `
listeners:
  mqttTls: { port: 0, maximumConnections: 100000 }
  mqttPlain: { port: 0, allowPlaintextListener: true, maximumConnections: 100000 }
  http: { port: 0 }
limits:
  organisations: { maximumMessageRate: unlimited, maximumByteRate: unlimited }
  devices:
    maximumMessageRate: unlimited
    maximumByteRate: unlimited
    maximumConnectRate: unlimited
    receiveMaximum: 65535
    maximumInflight: 65535
    maximumQueuedMessages: 1000000
    maximumQueuedSize: 1GiB
log: { level: error }
`;

const OWN = topicOf('$' + '{principal.id}');
const POLICY = {
  statements: [
    {
      id: 'bench.publishers',
      effect: 'permit',
      principals: ['device:bench/pub/*'],
      actions: ['publish'],
      resources: [OWN],
    },
    {
      id: 'bench.subscribers',
      effect: 'permit',
      principals: ['device:bench/sub/*'],
      actions: ['subscribe', 'receive'],
      resources: [OWN],
    },
    {
      id: 'bench.crowd',
      effect: 'permit',
      principals: ['device:bench/crowd/*'],
      actions: ['subscribe', 'receive'],
      resources: [ALL_TOPICS],
    },
  ],
};

/** The policy of the bench among so many statements about other devices, as an organisation that has grown has them. */
function policyWith(statements: number) {
  const others = Array.from({ length: statements }, (_, index) => ({
    id: `others.${index}`,
    effect: 'permit',
    principals: [`device:bench/sensor-${index % 100}/${index}`],
    actions: ['publish', 'subscribe'],
    resources: [`plant/${index % 50}/line/${index}/#`],
  }));
  return { statements: [...POLICY.statements, ...others] };
}

interface ServerFile {
  readonly pid: number;
  readonly mqttPort: number;
  readonly plainPort: number;
  readonly httpPort: number;
}

/** Registers the clients of the bench through the API, as an operator would, and answers their credentials. */
async function register(url: string, data: string, population: Population, statements: number): Promise<Identity[]> {
  const api = connectManagement({
    url,
    token: readFileSync(join(data, 'operator.token'), 'utf8'),
    ca: join(data, 'pki', 'root.pem'),
  });
  try {
    const { items } = await api.organisations.list();
    if (items.length === 0) await api.organisations.create({ id: ORGANISATION, security: 'tls-optional' });
    await api.policies.put(ORGANISATION, JSON.stringify(policyWith(statements)));
    const wanted: { role: Role; index: number }[] = [];
    for (const role of ROLES) {
      await api.types.create({ organisation: ORGANISATION, id: role });
      for (let index = 0; index < population[role]; index += 1) wanted.push({ role, index });
    }
    const identities: Identity[] = [];
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        for (let next = wanted.pop(); next; next = wanted.pop()) {
          const { role, index } = next;
          const { token } = await api.devices.create({ organisation: ORGANISATION, type: role, id: String(index) });
          if (token === undefined) throw new Error('the server made a device without a token');
          const clientId = `d:${ORGANISATION}:${role}:${index}`;
          identities.push({ role, index, clientId, username: 'use-token-auth', password: token });
        }
      }),
    );
    return identities.sort(
      (one, other) => ROLES.indexOf(one.role) - ROLES.indexOf(other.role) || one.index - other.index,
    );
  } finally {
    api.close();
  }
}

/** `sallyport start` as it is installed, with an organisation of its own. */
export async function startSallyport({
  folder,
  population,
  cores,
  statements = 0,
  workers = 1,
}: PeerOptions): Promise<RunningPeer> {
  const file = join(folder, 'sallyport.yaml');
  const data = join(folder, 'data');
  writeFileSync(file, `${CONFIGURATION}workers: ${workers}\n`);
  const args = [COMMAND, 'start', '--config', file, '--data-dir', data];
  const child = spawn(...pinned(cores, process.execPath, args), { stdio: ['ignore', 'ignore', 'pipe'] });
  let spoken = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    spoken = (spoken + text).slice(-4000);
  });
  try {
    const serverFile = join(data, 'server.json');
    for (let waited = 0; !existsSync(serverFile); waited += 100) {
      if (child.exitCode !== null || waited > PATIENCE) throw new Error(`sallyport did not start:\n${spoken}`);
      await pause(100);
    }
    const { pid, mqttPort, plainPort, httpPort } = JSON.parse(readFileSync(serverFile, 'utf8')) as ServerFile;
    const identities = await register(`https://localhost:${httpPort}`, data, population, statements);
    const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    const certificate = readFileSync(join(data, 'pki', 'root.pem'), 'utf8');
    return {
      name: statements === 0 ? 'sallyport' : `sallyport-${statements}`,
      version,
      pid,
      plain: { host: '127.0.0.1', port: plainPort, tls: false, certificate: '' },
      tls: { host: '127.0.0.1', port: mqttPort, tls: true, certificate },
      identities,
      durable: true,
      stop: () => endProcess(child),
    };
  } catch (error) {
    await endProcess(child);
    throw error;
  }
}
