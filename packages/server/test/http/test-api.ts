import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Failure, type OperatorRole, type Problem, type Refusal, type SessionDocument } from '@sallyport/model';
import { createRootAuthority, issueClientCertificate, type PublicKey } from '@sallyport/trust';
import { generateToken, secretBox, tokenHasher } from '@sallyport/trust/secrets';
import type { Refusals } from '../../src/audit/refusals.ts';
import type { Trail } from '../../src/audit/trail.ts';
import { operatorAuthenticator } from '../../src/authentication/operator-token.ts';
import { loadConfiguration } from '../../src/config/load.ts';
import type { ServerEvent } from '../../src/events/events.ts';
import { FirmwareDesk } from '../../src/firmware/firmware-desk.ts';
import { Rollouts, type RolloutsOptions } from '../../src/firmware/rollouts.ts';
import { buildApi } from '../../src/http/api.ts';
import type { ApiOptions } from '../../src/http/api-options.ts';
import { certificateDesk } from '../../src/http/certificate-desk.ts';
import { identityDesk } from '../../src/http/identity-desk.ts';
import { policyDesk } from '../../src/http/policy-desk.ts';
import { AddressLists } from '../../src/lists/address-lists.ts';
import { operatorIdOfToken } from '../../src/registry/operator-token.ts';
import type { RegistryChange } from '../../src/registry/records.ts';
import { openRegistry, type Registry } from '../../src/registry/registry.ts';
import { openDatabase } from '../../src/storage/database.ts';

export interface Asked {
  readonly as?: OperatorRole | 'nobody';
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

const absent = async (): Promise<never> => {
  throw new Failure('not_found', 'There is no such incident.');
};

/** Noon of a day on which nothing happened. */
export const NOON = Date.UTC(2026, 0, 31, 12);

/**
 * An API over a real registry in a temporary folder, with one operator of each role. What lies beyond the registry is played by
 * small stand-ins that a test can look into.
 */
export async function openTestApi(overrides: Partial<ApiOptions> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-api-'));
  const database = await openDatabase(join(folder, 'registry.db'));
  const hasher = tokenHasher(randomBytes(32));
  const changes: RegistryChange[] = [];
  const events: ServerEvent[] = [];
  const refused: Refusal[] = [];
  const queries: Parameters<Trail['query']>[0][] = [];
  const sessions: SessionDocument[] = [];
  const clock = { now: NOON };
  const now = () => clock.now;
  const policy = policyDesk();
  const registry = openRegistry({
    database,
    tokenHasher: hasher,
    secretBox: secretBox(randomBytes(32), 'test'),
    passwordHasher: { hash: async (password) => createHash('sha256').update(password).digest('hex') },
    generateToken,
    now,
    checkPolicy: (text) => policy.check(text).map((one) => ({ ...one, cure: one.cure ?? '' })),
    onChange: (change) => changes.push(change),
  });
  const tokens: Record<OperatorRole, string> = { administrator: '', operator: '', reader: '' };
  for (const role of ['administrator', 'operator', 'reader'] as const) {
    tokens[role] = (await registry.operators.create({ id: role, role, by: 'system' })).token;
  }
  changes.length = 0;

  const lists = new AddressLists({
    store: registry.addressLists,
    countryOf: () => undefined,
    now,
    onChange: async () => {},
  });
  const authority = await testAuthority(NOON);
  const issuing = await createRootAuthority({ commonName: 'Sallyport demo 0', now: NOON, validity: 86_400_000 });
  const app = buildApi({
    version: '0.1.0',
    tls: { key: '', cert: '' },
    registry,
    trail: {
      query: async (query) => {
        queries.push(query);
        return { items: [{ sequence: 7, at: NOON, type: 'device.created', by: 'operator:ann' }], next: '7' };
      },
    },
    refusals: {
      refuse(refusal: Parameters<Refusals['refuse']>[0]) {
        const at = new Date(now()).toISOString();
        const ticket = `T${String(refused.length).padStart(5, '0')}`;
        const whole: Refusal = { ...refusal, ticket, at, lastAt: at, count: 1 };
        refused.push(whole);
        return whole;
      },
      find: async (ticket) => refused.find((one) => one.ticket === ticket.toUpperCase()),
      list: async () => ({ items: refused }),
    },
    sessions: {
      list: (organisation) => ({ items: sessions.filter((one) => one.organisation === organisation) }),
      close(organisation, clientId) {
        const at = sessions.findIndex((one) => one.organisation === organisation && one.clientId === clientId);
        if (at >= 0) sessions.splice(at, 1);
        return at >= 0;
      },
    },
    unlocks: {
      list: () => [],
      makeCode: (_, clientId) => Promise.reject(new Failure('not_found', `${clientId} does not wait.`)),
    },
    policy,
    incidents: {
      list: async () => ({ items: [] }),
      get: absent,
      contain: absent,
      release: absent,
      resolve: absent,
    },
    alerts: { describe: () => [], test: async () => [{ channel: 'mail', delivered: true }] },
    guesses: { list: () => [], release: () => 0, failed: () => undefined, passed: () => {} },
    addressLists: { lists, countries: { of: () => undefined, describe: () => undefined } },
    certificates: certificateDesk({ authority, registry, issueRate: 1000, now }),
    serverCertificates: { show: absent, set: absent, reset: absent, request: absent },
    identities: identityDesk({ identities: registry.identities, issuerOf: async () => issuing, now }),
    ...(await testFirmware({ folder, database, registry, now })),
    explain: (question) => ({ question, effect: 'deny', resolved: question.resource, statements: [], steps: [] }),
    health: () => ({ status: 'ok', parts: { registry: 'ok' } }),
    revocationLists: () => [],
    renewRevocation: async () => {},
    published: async () => ({ status: 404, headers: {}, body: new Uint8Array() }),
    metricsText: () => '# TYPE sallyport_sessions gauge\nsallyport_sessions 0\n',
    authenticateOperator: operatorAuthenticator({
      findPrincipal: (name) => registry.lookup.byPrincipal(name),
      tokens: hasher,
      operatorIdOf: operatorIdOfToken,
      now,
    }),
    emit: (event) => events.push(event),
    now,
    ...overrides,
  });
  await app.ready();

  return {
    app,
    registry,
    tokens,
    changes,
    events,
    refused,
    queries,
    sessions,
    clock,
    /** Sends a request as the administrator unless another is named; `request` is like `GET /organisations`. */
    async ask(request: string, { as = 'administrator', body, headers = {} }: Asked = {}) {
      const [method = '', path = ''] = request.split(' ');
      const answer = await app.inject({
        method: method as 'GET',
        url: path.startsWith('/api') ? path : `/api/v1${path}`,
        headers: { ...(as !== 'nobody' && { authorization: `Bearer ${tokens[as]}` }), ...headers },
        ...(body !== undefined && { payload: body as object }),
      });
      return {
        status: answer.statusCode,
        headers: answer.headers as Record<string, string | undefined>,
        text: answer.body,
        // biome-ignore lint/suspicious/noExplicitAny: each test knows what it asked for.
        json: (answer.body.startsWith('{') ? JSON.parse(answer.body) : undefined) as any,
      };
    },
    async close() {
      await app.close();
      await database.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Firmware over the same folder and registry; no device is ever connected. */
async function testFirmware({
  folder,
  database,
  registry,
  now,
}: Pick<RolloutsOptions, 'database' | 'now'> & { readonly folder: string; readonly registry: Registry }) {
  const settings = loadConfiguration({ overrides: { dataDirectory: folder } }).firmware;
  const record = async () => {};
  const firmware = new FirmwareDesk({
    directory: folder,
    settings,
    now,
    demandType: async ({ organisation, type }) => {
      if (type === undefined) await registry.organisations.get(organisation);
      else await registry.types.get({ organisation, id: type });
    },
    record,
  });
  const rollouts = new Rollouts({
    database,
    settings,
    now,
    random: randomBytes,
    findRelease: (organisation, name) => firmware.find(organisation, name),
    listDevices: async () => ({ items: [] }),
    isConnected: async () => false,
    send: () => {},
    record,
    emit: () => {},
  });
  return { firmware, rollouts };
}

/** An authority without files. */
async function testAuthority(now: number) {
  const root = await createRootAuthority({ commonName: 'Test root', now, validity: 365 * 86_400_000 });
  return {
    issuers: () => [root],
    root: root.certificate,
    issueClient: (options: { publicKey: PublicKey; commonName: string; validity?: number }) =>
      issueClientCertificate({ authority: root, now, ...options }),
  };
}

export type TestApi = Awaited<ReturnType<typeof openTestApi>>;

/** True if an answer has the one form of errors, with this code, and with a title, a detail and a cure for people. */
export function isProblem(answer: Awaited<ReturnType<TestApi['ask']>>, code: string): boolean {
  const problem = answer.json as Partial<Problem> | undefined;
  return (
    answer.headers['content-type'] === 'application/problem+json; charset=utf-8' &&
    problem?.code === code &&
    problem.status === answer.status &&
    problem.type === `/docs/failures#${code}` &&
    [problem.title, problem.detail, problem.cure].every((text) => typeof text === 'string' && text.length > 10)
  );
}
