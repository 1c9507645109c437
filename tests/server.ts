import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectManagement, type Management } from '@sallyport/application/management';
import { loadConfiguration, type RunningServer, startServer } from '@sallyport/server';

/**
 * A server of its own for a test. Organisation `demo` has two devices, a gateway and three applications; its neighbour `other`
 * has a device and an application of the same names.
 */
export interface TestServer {
  readonly server: RunningServer;
  readonly host: string;
  readonly port: number;
  readonly plainPort: number;
  readonly httpPort: number;
  readonly rootPem: string;
  readonly rootFile: string;
  readonly directory: string;
  readonly operatorToken: string;
  readonly api: Management;
  /** Tokens by device, gateway or application id; those of the neighbour as `other/pump-7` and `other/desk`. */
  readonly tokens: Readonly<Record<string, string>>;
  /** Keys by application id; `other/desk` for the neighbour. */
  readonly keys: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

const ORGANISATION = 'demo';

/** With `SALLYPORT_TEST_WORKERS=2` every server of the tests has two worker processes. */
const WORKERS = Number(process.env.SALLYPORT_TEST_WORKERS ?? 1);

/** Starts a server on free ports of loopback in a temporary folder. `overrides` are configuration keys; `now` is its clock. */
export async function testServer(
  overrides: Readonly<Record<string, unknown>> = {},
  more: { readonly now?: () => number } = {},
): Promise<TestServer> {
  const directory = mkdtempSync(join(tmpdir(), 'sallyport-test-'));
  const configuration = loadConfiguration({
    overrides: {
      dataDirectory: directory,
      'listeners.mqttTls.port': 0,
      'listeners.http.port': 0,
      'log.level': 'silent',
      workers: WORKERS,
      ...(overrides['listeners.mqttPlain.allowPlaintextListener'] ? { 'listeners.mqttPlain.port': 0 } : {}),
      ...overrides,
    },
  });
  const started = await startServer({ configuration, ...more });
  const server = WORKERS > 1 ? inForceEverywhere(started) : started;
  try {
    const { tokens, keys } = await populate(server);
    const operatorToken = readFileSync(join(directory, 'operator.token'), 'utf8').trim();
    return {
      server,
      host: 'localhost',
      port: server.mqttPort ?? 0,
      plainPort: server.plainPort ?? 0,
      httpPort: server.httpPort,
      rootPem: server.rootPem,
      rootFile: join(directory, 'pki', 'root.pem'),
      directory,
      operatorToken,
      api: connectManagement({ url: `https://localhost:${server.httpPort}`, token: operatorToken, ca: server.rootPem }),
      tokens,
      keys,
      async close() {
        await server.close();
        rmSync(directory, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await server.close();
    rmSync(directory, { recursive: true, force: true });
    throw error;
  }
}

/** With several processes a change is in force a moment after it is made; the API waits for that by itself. */
function inForceEverywhere(server: RunningServer): RunningServer {
  const waiting = (noun: object): object =>
    new Proxy(noun, {
      get(target, name) {
        const found: unknown = Reflect.get(target, name);
        if (typeof found !== 'function') return found;
        return async (...given: unknown[]) => {
          const answer: unknown = await Reflect.apply(found, target, given);
          await server.settled();
          return answer;
        };
      },
    });
  const nouns = Object.entries(server.registry).map(([name, noun]) => [name, waiting(noun as object)]);
  return { ...server, registry: Object.fromEntries(nouns) as unknown as RunningServer['registry'] };
}

async function populate({ registry }: RunningServer) {
  const by = 'system';
  const organisation = ORGANISATION;
  const neighbour = 'other';
  const tokens: Record<string, string> = {};
  const keys: Record<string, string> = {};
  await registry.organisations.create({ id: organisation, name: 'Demo', by });
  await registry.types.create({ organisation, id: 'pump', class: 'device', by });
  await registry.types.create({ organisation, id: 'hub', class: 'gateway', by });
  for (const [type, id] of [
    ['pump', 'pump-7'],
    ['pump', 'pump-8'],
    ['hub', 'hub-1'],
  ] as const) {
    tokens[id] = (await registry.devices.create({ organisation, type, id, by })).token;
  }
  for (const id of ['desk', 'tap', 'lab']) {
    const { record, token } = await registry.applications.create({ organisation, id, role: 'standard', by });
    tokens[id] = token;
    keys[id] = record.key;
  }
  await registry.organisations.create({ id: neighbour, name: 'Other', by });
  await registry.types.create({ organisation: neighbour, id: 'pump', class: 'device', by });
  const device = await registry.devices.create({ organisation: neighbour, type: 'pump', id: 'pump-7', by });
  const application = await registry.applications.create({ organisation: neighbour, id: 'desk', role: 'standard', by });
  tokens['other/pump-7'] = device.token;
  tokens['other/desk'] = application.token;
  keys['other/desk'] = application.record.key;
  return { tokens, keys };
}
