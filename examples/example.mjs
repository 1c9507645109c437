// @ts-check
/** What every example stands on: a fresh server on free ports in a temporary folder, with a device and an application of the organisation `demo`. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectManagement } from '@sallyport/application/management';
import { loadConfiguration, startServer } from '@sallyport/server';

/**
 * @typedef {object} Stage
 * @property {{ host: string, port: number, ca: string, organisation: string }} place Where clients connect.
 * @property {number} httpPort
 * @property {string} folder Temporary; goes with the server.
 * @property {import('@sallyport/application/management').Management} api As an operator.
 * @property {{ type: string, id: string, token: string }} pump
 * @property {{ id: string, key: string, token: string }} desk
 * @property {(text: string) => void} say
 * @property {(what: string, attempt: () => Promise<unknown>) => Promise<void>} refused Shows a refusal; fails if there is none.
 */

/**
 * Runs an example: exit code 0 if all of it held.
 *
 * @param {string} title
 * @param {(stage: Stage) => Promise<void>} work
 * @param {Readonly<Record<string, unknown>>} settings Configuration keys of the server.
 */
export async function example(title, work, settings = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-example-'));
  const overrides = {
    dataDirectory: join(folder, 'data'),
    'listeners.mqttTls.port': 0,
    'listeners.http.port': 0,
    'log.level': 'silent',
    ...settings,
  };
  const server = await startServer({ configuration: loadConfiguration({ overrides }) });
  const token = readFileSync(join(server.dataDirectory, 'operator.token'), 'utf8').trim();
  const api = connectManagement({ url: `https://localhost:${server.httpPort}`, token, ca: server.rootPem });
  const organisation = 'demo';
  /** @param {string} text */
  const say = (text) => console.log(text);
  try {
    await api.organisations.create({ id: organisation });
    await api.types.create({ organisation, id: 'pump', class: 'device' });
    const device = await api.devices.create({ organisation, type: 'pump', id: 'pump-7' });
    const application = await api.applications.create({ organisation, id: 'desk' });
    say(`${title}\n`);
    await work({
      place: { host: 'localhost', port: server.mqttPort ?? 0, ca: server.rootPem, organisation },
      httpPort: server.httpPort,
      folder,
      api,
      pump: { type: 'pump', id: 'pump-7', token: device.token ?? '' },
      desk: { id: 'desk', key: application.application.key, token: application.token ?? '' },
      say,
      async refused(what, attempt) {
        try {
          await attempt();
        } catch (error) {
          const failure = /** @type {Error & { ticket?: string }} */ (error);
          say(`✓ ${what}: refused`);
          if (failure.ticket === undefined) return say(`  ${failure.message}`);
          const { reason, cure } = await api.explainTicket(failure.ticket);
          return say(`  ${reason}. What to do: ${cure}`);
        }
        throw new Error(`${what}: it was let through`);
      },
    });
    say('\nAll of it held.');
  } finally {
    api.close();
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * The next value that somebody hands to `take`.
 *
 * @template T
 * @returns {{ take: (value: T) => void, next: () => Promise<T> }}
 */
export function mailbox() {
  /** @type {T[]} */
  const come = [];
  /** @type {((value: T) => void)[]} */
  const waiting = [];
  return {
    take(value) {
      const first = waiting.shift();
      if (first) first(value);
      else come.push(value);
    },
    next() {
      const first = come.shift();
      return first === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(first);
    },
  };
}
