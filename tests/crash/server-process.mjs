// @ts-check
/**
 * The server that is killed. `node server-process.mjs DIRECTORY [WORKERS]`: prints one line of JSON with port and token when it is open; SIGTERM
 * stops it gracefully.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfiguration, startServer } from '@sallyport/server';

const directory = process.argv[2] ?? '';
const tokenFile = join(directory, 'crash.token');
const configuration = loadConfiguration({
  overrides: {
    dataDirectory: directory,
    workers: Number(process.argv[3] ?? 1),
    'listeners.mqttTls.enabled': false,
    'listeners.mqttPlain.allowPlaintextListener': true,
    'listeners.mqttPlain.port': 0,
    'listeners.http.port': 0,
    'log.level': 'silent',
    'limits.applications.maximumQueuedMessages': 1_000_000,
    'limits.applications.maximumQueuedSize': '1GiB',
  },
});
const server = await startServer({ configuration });
if (!existsSync(tokenFile)) {
  const organisation = 'crash';
  const by = 'system';
  await server.registry.organisations.create({ id: organisation, name: 'Crash', security: 'tls-optional', by });
  const permit = { effect: 'permit', principals: ['application:*'] };
  const statements = [
    { id: 'crash.connect', ...permit, actions: ['connect'], resources: ['*'] },
    { id: 'crash.all', ...permit, actions: ['publish', 'subscribe', 'receive'], resources: ['#'] },
  ];
  await server.registry.policies.put({ organisation, text: JSON.stringify({ statements }), by });
  const { record, token } = await server.registry.applications.create({
    organisation,
    id: 'lab',
    role: 'standard',
    by,
  });
  writeFileSync(tokenFile, JSON.stringify({ username: record.key, password: token }));
}
const login = JSON.parse(readFileSync(tokenFile, 'utf8'));
process.stdout.write(`${JSON.stringify({ port: server.plainPort, ...login })}\n`);
process.on('SIGTERM', () => {
  server.close('the crash test is over').then(() => process.exit(0));
});
