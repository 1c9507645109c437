import { connectManagement } from '@sallyport/application/management';
import { loadConfiguration, startServer } from '@sallyport/server';
import type { TestServer } from './server.ts';

/** The same data directory under a new server. The first may have been closed before. `overrides` are its configuration keys. */
export async function startedAgain(
  before: TestServer,
  overrides: Readonly<Record<string, unknown>> = {},
  more: { readonly now?: () => number } = {},
): Promise<TestServer> {
  await before.server.close();
  const configuration = loadConfiguration({
    overrides: {
      dataDirectory: before.directory,
      'listeners.mqttTls.port': 0,
      'listeners.http.port': 0,
      'log.level': 'silent',
      ...(overrides['listeners.mqttPlain.allowPlaintextListener'] ? { 'listeners.mqttPlain.port': 0 } : {}),
      ...overrides,
    },
  });
  const server = await startServer({ configuration, ...more });
  const url = `https://localhost:${server.httpPort}`;
  return {
    ...before,
    server,
    port: server.mqttPort ?? 0,
    plainPort: server.plainPort ?? 0,
    httpPort: server.httpPort,
    api: connectManagement({ url, token: before.operatorToken, ca: server.rootPem }),
    async close() {
      await server.close();
      await before.close();
    },
  };
}
