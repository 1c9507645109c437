import { Failure } from '@sallyport/model';
import type { Grants } from '@sallyport/policy';
import { Pool } from 'pg';
import type { CircuitBreaker } from './circuit-breaker.ts';
import { grantedPrincipal, readGrants, valuesOf } from './grant-source.ts';

export interface SqlSettings {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
  /** PEM of the authorities that the database's certificate may lead to; no TLS if it is absent. */
  readonly ca?: string;
  /** One statement with $1 to $n; each row's first column is a grant. */
  readonly query: string;
  /** What $1 to $n stand for: `principal`, `kind`, `organisation`, `type`, `id`. */
  readonly parameters: readonly string[];
  /** Milliseconds for connecting and for the statement. */
  readonly timeout: number;
  readonly connections: number;
}

export interface SqlGrants {
  grantsOf(principal: string): Promise<Grants>;
  close(): Promise<void>;
}

/** Grants from a database: a fixed statement whose parameters are bound, so that no name can become a part of it. */
export function sqlGrants(settings: SqlSettings, breaker: CircuitBreaker): SqlGrants {
  const { host, port, database, user, password, ca, query, parameters, timeout, connections } = settings;
  const pool = new Pool({
    host,
    port,
    database,
    user,
    password,
    max: connections,
    connectionTimeoutMillis: timeout,
    // The server ends the statement; the client ends the wait if the server does not.
    statement_timeout: timeout,
    query_timeout: timeout + 1000,
    idleTimeoutMillis: 30_000,
    allowExitOnIdle: true,
    application_name: 'sallyport',
    options: '-c default_transaction_read_only=on',
    ssl: ca === undefined ? false : { ca, rejectUnauthorized: true },
  });
  // A connection that breaks while it is idle is replaced by the next question.
  pool.on('error', () => {});
  return {
    async grantsOf(name) {
      const principal = grantedPrincipal(name);
      const values = valuesOf(name, principal);
      const { rows } = await breaker(() =>
        pool.query<unknown[]>({
          text: query,
          values: parameters.map((parameter) => values[parameter] ?? ''),
          rowMode: 'array' as const,
        }),
      );
      const texts = rows.map(([first]) => {
        if (typeof first === 'string') return first;
        throw new Failure('directory_unavailable', 'The first column of a row of the grant query is no text.');
      });
      return readGrants(texts, principal, 'The database');
    },
    close: () => pool.end(),
  };
}
