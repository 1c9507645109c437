import type {
  ForecastCounts,
  ForecastRow,
  Page,
  SecurityForecast,
  SecurityLevel,
  SessionDocument,
} from '@sallyport/model';
import { forecastPrincipal, forecastSession, type Holding } from '../authentication/forecast-level.ts';
import type { Registry } from '../registry/registry.ts';

const MOST_LOOKED_AT = 10_000;
const MOST_ROWS = 200;
const PAGE = 200;

/** What a forecast is made from. */
export interface ForecastOptions {
  readonly registry: Registry;
  readonly listSessions: (
    organisation: string,
    page: { readonly limit: number; readonly after?: string },
  ) => Page<SessionDocument> | Promise<Page<SessionDocument>>;
  readonly now: () => number;
}

export interface Forecast {
  readonly organisation: string;
  /** Left out: the default of the organisation, for all to whom it applies. */
  readonly type?: string;
  readonly level: SecurityLevel;
}

/** Judges everybody whom a level would concern, before it is saved. Nothing is changed. `not_found` for an unknown type. */
export async function forecastLevel(
  { registry, listSessions, now }: ForecastOptions,
  { organisation, type, level }: Forecast,
): Promise<SecurityForecast> {
  const { certificates, authorities, issuers, lookup } = registry;
  if (type === undefined) await registry.organisations.get(organisation);
  else await registry.types.get({ organisation, id: type });
  const imported = (await authorities.list({ organisation, limit: 1 })).items.length > 0;
  const granted = (await issuers.list({ organisation, limit: 1 })).items.length > 0;
  const types = await concerned(registry, organisation, type);

  const holdings = async (principal: string): Promise<{ certificate: Holding; token: Holding }> => {
    const known = await lookup.byPrincipal(principal);
    const inForce = ({ revokedAt, expiresAt }: { revokedAt?: number; expiresAt?: number }) =>
      revokedAt === undefined && (expiresAt === undefined || expiresAt > now());
    const page = await certificates.list({ organisation, principal, limit: PAGE });
    const certified = page.items.some(
      ({ revokedAt, notAfter = 0, notBefore = 0 }) => revokedAt === undefined && notBefore <= now() && notAfter > now(),
    );
    return {
      certificate: certified ? 'held' : imported ? 'possible' : 'none',
      token: known?.credentials.some(inForce) ? 'held' : granted ? 'possible' : 'none',
    };
  };

  const rows: ForecastRow[] = [];
  let truncated = false;
  for await (const principal of principals(registry, organisation, types, type === undefined)) {
    if (rows.length >= MOST_LOOKED_AT) {
      truncated = true;
      break;
    }
    rows.push({ principal, ...forecastPrincipal(level, await holdings(principal)) });
    // The driver answers without waiting, so a turn of the loop has to be asked for.
    if (rows.length % PAGE === 0) await new Promise((resolve) => setImmediate(resolve));
  }

  const sessions: ForecastRow[] = [];
  for await (const session of pages((page) => listSessions(organisation, page))) {
    if (!isConcerned(session.principal, types, type === undefined)) continue;
    if (sessions.length >= MOST_LOOKED_AT) {
      truncated = true;
      break;
    }
    const { principal, clientId, connected, secure, proofs = [] } = session;
    const judged = forecastSession(level, proofs, connected ? secure : undefined);
    sessions.push({ principal, clientId, ...judged });
  }
  return {
    organisation,
    ...(type === undefined ? {} : { type }),
    level,
    principals: counted(rows),
    sessions: counted(sessions),
    truncated,
  };
}

/** The one type, or those that say nothing and so follow the organisation. */
async function concerned(registry: Registry, organisation: string, type: string | undefined): Promise<Set<string>> {
  if (type !== undefined) return new Set([type]);
  const found = new Set<string>();
  for await (const each of pages((page) => registry.types.list({ organisation, ...page }))) {
    if (each.security === undefined) found.add(each.id);
  }
  return found;
}

async function* principals(
  { devices, applications }: Registry,
  organisation: string,
  types: ReadonlySet<string>,
  withApplications: boolean,
): AsyncIterable<string> {
  for (const type of types) {
    for await (const { class: kind, id } of pages((page) => devices.list({ organisation, type, ...page }))) {
      yield `${kind}:${organisation}/${type}/${id}`;
    }
  }
  if (!withApplications) return;
  for await (const { id } of pages((page) => applications.list({ organisation, ...page }))) {
    yield `application:${organisation}/${id}`;
  }
}

function isConcerned(principal: string, types: ReadonlySet<string>, withApplications: boolean): boolean {
  if (principal.startsWith('application:')) return withApplications;
  return types.has(principal.split('/')[1] ?? '');
}

async function* pages<T>(
  list: (page: { limit: number; after?: string }) => Page<T> | Promise<Page<T>>,
): AsyncIterable<T> {
  for (let after: string | undefined; ; ) {
    const page = await list({ limit: PAGE, ...(after === undefined ? {} : { after }) });
    yield* page.items;
    after = page.next;
    if (after === undefined) return;
  }
}

function counted(rows: readonly ForecastRow[]): ForecastCounts {
  const of = (outcome: ForecastRow['outcome']) => rows.filter((row) => row.outcome === outcome);
  const fails = of('fails');
  const unknown = of('unknown');
  const complies = of('complies').length;
  return { complies, fails: fails.length, unknown: unknown.length, rows: [...fails, ...unknown].slice(0, MOST_ROWS) };
}
