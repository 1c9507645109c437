import {
  type AuditDocument,
  type Explanation,
  Failure,
  type Health,
  type OperatorDocument,
  type Page,
  type Question,
  type Refusal,
  type SecurityForecast,
  type SecurityLevel,
} from '@sallyport/model';
import { Caller, type PageOptions } from './caller.ts';
import { enrolmentCalls } from './enrolment-calls.ts';
import { fetchTransport } from './fetch-transport.ts';
import { firmwareCalls, rolloutCalls } from './firmware-calls.ts';
import { incidentCalls } from './incident-calls.ts';
import { issuerCalls } from './issuer-calls.ts';
import { blockCalls, listCalls } from './list-calls.ts';
import {
  applicationCalls,
  authorityCalls,
  certificateCalls,
  deviceCalls,
  identityCalls,
  operatorCalls,
  organisationCalls,
  sessionCalls,
  typeCalls,
  unlockCalls,
} from './nouns.ts';
import { oauthCalls } from './oauth-calls.ts';
import { policyCalls } from './policy-calls.ts';
import type { AuditFilter, RefusalFilter } from './requests.ts';
import { serverCertificateCalls } from './server-certificate-calls.ts';
import type { ManagementTransport } from './transport.ts';

export interface ManagementOptions {
  /** Where the server is, for example `https://localhost:8443`. */
  readonly url: string;
  /** Token of an operator; only `health` and `openapi` work without. */
  readonly token?: string;
  /** Root to trust: PEM text or the path of a PEM file. In Node only: a browser decides by itself. */
  readonly ca?: string;
  /** Sends with this instead of node:https. */
  readonly fetch?: typeof fetch;
}

/** A client of the HTTPS API. Every method rejects with a `Failure` that has the server's code, detail and cure. */
export type Management = ReturnType<typeof connectManagement>;

/**
 * Makes a client of the HTTPS API; nothing is sent before the first call.
 *
 * @throws Failure `invalid_request` if the address is not https or the token cannot be one
 */
export function connectManagement(options: ManagementOptions) {
  const transport = transportFor(options);
  const caller = new Caller(addressOf(options.url), tokenOf(options.token), transport);
  return {
    health: () => caller.json<Health>('GET', ['health']),
    /** Text for Prometheus. */
    metrics: async () => (await caller.send('GET', ['metrics'])).text,
    openapi: () => caller.json<Record<string, unknown>>('GET', ['openapi.json']),
    /** The operator whose token this is. */
    whoAmI: () => caller.json<OperatorDocument>('GET', ['whoami']),
    organisations: organisationCalls(caller),
    types: typeCalls(caller),
    devices: deviceCalls(caller),
    applications: applicationCalls(caller),
    authorities: authorityCalls(caller),
    certificates: certificateCalls(caller),
    serverCertificate: serverCertificateCalls(caller),
    identities: identityCalls(caller),
    issuers: issuerCalls(caller),
    enrolment: enrolmentCalls(caller),
    operators: operatorCalls(caller),
    oauth: oauthCalls(caller),
    policies: policyCalls(caller),
    sessions: sessionCalls(caller),
    /** Who would comply with a level, and which live sessions would end. Changes nothing. */
    predictSecurity: (organisation: string, body: { readonly level: SecurityLevel; readonly type?: string }) =>
      caller.json<SecurityForecast>('POST', ['organisations', organisation, 'security', 'predict'], { body }),
    lists: listCalls(caller),
    firmware: firmwareCalls(caller),
    rollouts: rolloutCalls(caller),
    unlocks: unlockCalls(caller),
    blocks: blockCalls(caller),
    incidents: incidentCalls(caller),
    audit: (filter: AuditFilter & PageOptions = {}) =>
      caller.json<Page<AuditDocument>>('GET', ['audit'], { query: { ...filter } }),
    /** Newest first. */
    refusals: (filter: RefusalFilter & PageOptions = {}) =>
      caller.json<Page<Refusal>>('GET', ['refusals'], { query: { ...filter } }),
    /** Why the refusal with this ticket was one. */
    explainTicket: (ticket: string) => caller.json<Refusal>('GET', ['explain', ticket]),
    /** What the server would decide. Changes nothing. */
    explain: (question: Question) => caller.json<Explanation>('POST', ['explain'], { body: question }),
    /** Lets go of connections that are kept for the next call. */
    close: () => transport.close(),
  };
}

function transportFor({ ca, fetch: given }: ManagementOptions): ManagementTransport {
  if (given) return fetchTransport(given);
  if (!('process' in globalThis && globalThis.process?.versions?.node))
    return fetchTransport(globalThis.fetch.bind(globalThis));
  // Loaded on demand: a browser has no node:https.
  let loaded: Promise<ManagementTransport> | undefined;
  let open: ManagementTransport | undefined;
  return {
    async send(request) {
      loaded ??= import('./node-transport.ts').then(({ nodeTransport }) => nodeTransport(ca));
      open = await loaded;
      return open.send(request);
    },
    close: () => open?.close(),
  };
}

function addressOf(url: string): URL {
  const address = URL.canParse(url) ? new URL(url) : undefined;
  if (address?.protocol === 'https:' && address.username === '' && address.search === '' && address.hash === '') {
    return address;
  }
  // An address with a user name may hold a password: it is not quoted.
  const quoted = url.includes('@') ? 'What was given' : `"${url.slice(0, 200)}"`;
  throw new Failure('invalid_request', `${quoted} is not the address of a server.`, {
    cure: 'Write it like https://localhost:8443; the token would travel in clear over anything but https.',
  });
}

function tokenOf(token: string | undefined): string | undefined {
  // Tokens are often read from a file that ends with a line break.
  const trimmed = token?.trim();
  if (trimmed === undefined || /^[\x21-\x7e]{1,512}$/.test(trimmed)) return trimmed;
  throw new Failure('invalid_request', 'The operator token is empty or has characters that no token has.', {
    cure: 'Use the token as it was shown; the first one is in the file operator.token of the data directory.',
  });
}
