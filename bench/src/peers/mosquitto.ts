import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ALL_TOPICS, type Identity, plainIdentities, topicOf } from '../identity.ts';
import { endProcess, freePort, type PeerOptions, pinned, type RunningPeer } from './peer.ts';
import { makeServerCertificate } from './server-certificate.ts';

function rightsOf({ role, index }: Identity): string {
  if (role === 'pub') return `topic write ${topicOf(index)}`;
  return `topic read ${role === 'sub' ? topicOf(index) : ALL_TOPICS}`;
}

/** Debian installs it for root's PATH only. */
function program(): string {
  const found = ['mosquitto', '/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto'].find(
    (name) => !spawnSync(name, ['-h']).error,
  );
  if (found === undefined)
    throw new Error('mosquitto is not installed (Debian: apt-get install mosquitto mosquitto-clients)');
  return found;
}

async function untilItListens(port: number): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const connected = await new Promise((resolve) => {
      const socket = net.connect(port, '127.0.0.1');
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (connected) return;
    await pause(50);
  }
  throw new Error(`mosquitto does not listen on port ${port}`);
}

/** mosquitto with a password file and an ACL file, set up as its documentation advises for speed. */
export async function startMosquitto({ folder, population, cores }: PeerOptions): Promise<RunningPeer> {
  const binary = program();
  const identities = plainIdentities(population);
  const passwords = join(folder, 'passwords');
  writeFileSync(passwords, identities.map(({ username, password }) => `${username}:${password}\n`).join(''), {
    mode: 0o600,
  });
  execFileSync('mosquitto_passwd', ['-U', passwords], { stdio: 'pipe' });
  const rights = join(folder, 'rights');
  writeFileSync(rights, identities.map((identity) => `user ${identity.username}\n${rightsOf(identity)}\n\n`).join(''), {
    mode: 0o600,
  });
  const { keyFile, certificateFile, certificate } = makeServerCertificate(folder);
  const port = await freePort();
  const tlsPort = await freePort();
  const configuration = `
per_listener_settings false
allow_anonymous false
password_file ${passwords}
acl_file ${rights}
persistence false
set_tcp_nodelay true
max_queued_messages 0
max_inflight_messages 0
log_type error
${process.getuid?.() === 0 ? 'user root' : ''}
listener ${port} 127.0.0.1
listener ${tlsPort} 127.0.0.1
certfile ${certificateFile}
keyfile ${keyFile}
`;
  const file = join(folder, 'mosquitto.conf');
  writeFileSync(file, configuration);
  const child = spawn(...pinned(cores, binary, ['-c', file]), { stdio: ['ignore', 'ignore', 'inherit'] });
  await untilItListens(tlsPort);
  return {
    name: 'mosquitto',
    version: /version (\S+)/.exec(spawnSync(binary, ['-h'], { encoding: 'utf8' }).stdout)?.[1] ?? '?',
    pid: child.pid ?? 0,
    plain: { host: '127.0.0.1', port, tls: false, certificate: '' },
    tls: { host: '127.0.0.1', port: tlsPort, tls: true, certificate },
    identities,
    durable: false,
    stop: () => endProcess(child),
  };
}
