import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type TestServer, testServer } from '../server.ts';

const CLIENT = fileURLToPath(new URL('watson-sdk-client.cjs', import.meta.url));
// The libraries take TLS only on port 8883; an address of loopback of its own keeps parallel tests apart.
const ADDRESS = `127.0.${1 + (process.pid % 250)}.${1 + (Math.floor(process.pid / 250) % 250)}`;

type Happening = { readonly happened: string } & Record<string, unknown>;

class Client {
  readonly seen: Happening[] = [];
  readonly #process: ChildProcess;
  readonly #waiting = new Set<() => void>();

  constructor(library: string, role: string, options: Record<string, string>, rootFile: string) {
    this.#process = spawn(process.execPath, [CLIENT, library, role, JSON.stringify({ ...options, address: ADDRESS })], {
      env: { ...process.env, NODE_EXTRA_CA_CERTS: rootFile, NODE_NO_WARNINGS: '1' },
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    createInterface({ input: this.#process.stdout! }).on('line', (line) => {
      if (!line.startsWith('{')) return;
      this.seen.push(JSON.parse(line) as Happening);
      for (const wake of this.#waiting) wake();
    });
  }

  do(what: string, more: object = {}): void {
    this.#process.stdin!.write(`${JSON.stringify({ do: what, ...more })}\n`);
  }

  async until(happened: string, more: object = {}): Promise<Happening> {
    for (;;) {
      const found = this.seen.find(
        (each) => each.happened === happened && Object.entries(more).every(([key, value]) => each[key] === value),
      );
      if (found) return found;
      await new Promise<void>((resolve) => {
        const wake = () => {
          this.#waiting.delete(wake);
          resolve();
        };
        this.#waiting.add(wake);
      });
    }
  }

  end(): void {
    this.#process.kill();
  }
}

let server: TestServer;
const clients: Client[] = [];

function client(library: string, role: 'device' | 'application', more: Record<string, string> = {}): Client {
  const device = { organisation: 'demo', type: 'pump', id: 'pump-7', token: server.tokens['pump-7'] ?? '' };
  const application = {
    organisation: 'demo',
    id: 'desk',
    key: server.keys.desk ?? '',
    token: server.tokens.desk ?? '',
  };
  const made = new Client(library, role, { ...(role === 'device' ? device : application), ...more }, server.rootFile);
  clients.push(made);
  return made;
}

beforeAll(async () => {
  server = await testServer({
    'listeners.mqttTls.address': ADDRESS,
    'listeners.mqttTls.port': 8883,
    serverNames: ['demo.messaging.wiot.test', 'demo.wiot.test'],
  });
});
afterEach(() => {
  for (const each of clients.splice(0)) each.end();
});
afterAll(() => server?.close());

describe.each(['@wiotp/sdk', 'ibmiotf'])('%s, unmodified', (library) => {
  test('carries an event to the application and a command back', async () => {
    const application = client(library, 'application');
    const device = client(library, 'device');
    await Promise.all([application.until('connect'), device.until('connect')]);
    application.do('subscribe');
    await application.until('did', { what: 'subscribe' });
    // The library tells nobody when its subscription stands: the event is repeated until it is heard.
    const heard = application.until('event');
    const repeat = setInterval(() => device.do('event', { name: 'status', payload: { d: { count: 1 } } }), 200);
    try {
      expect(await heard).toMatchObject({ deviceType: 'pump', deviceId: 'pump-7', name: 'status', format: 'json' });
    } finally {
      clearInterval(repeat);
    }
    application.do('command', { type: 'pump', id: 'pump-7', name: 'blink', payload: { times: 3 } });
    expect(await device.until('command')).toMatchObject({ name: 'blink', format: 'json' });
  });

  test('hears CONNACK 5 for a wrong token', async () => {
    const device = client(library, 'device', { token: 'not-the-token' });
    const { text } = await device.until('error');
    expect(text).toMatch(/not authori[sz]ed/i);
  });

  test('loses the older connection to a newer one with the same id', async () => {
    const older = client(library, 'device');
    await older.until('connect');
    const newer = client(library, 'device');
    await newer.until('connect');
    await older.until('close');
  });
});
