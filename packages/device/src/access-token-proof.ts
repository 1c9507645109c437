import { Failure } from '@sallyport/model';
import type { ConnectProof, LinkProof } from './link-proof.ts';

/** An access token with its end, in milliseconds since the epoch; without one it is read from the token if that is a JWT. */
export interface AccessToken {
  readonly token: string;
  readonly expiresAt?: number;
}

/**
 * Fetches an access token: when the client connects, and ahead of the end of the one before. What it throws is told as
 * `token_unavailable` and tried again, unless it is a `Failure`: `token_refused` ends the client.
 */
export type FetchAccessToken = (signal: AbortSignal) => string | AccessToken | Promise<string | AccessToken>;

/** User name of CONNECT, and method of AUTH, that announce an access token (docs/guide/access-tokens.md). */
const USER_NAME = 'use-access-token';
const METHOD = 'ACCESS-TOKEN';

/** Part of its life after which a token is renewed; drawn in between, so that a fleet does not come at once. */
const EARLIEST = 0.7;
const LATEST = 0.85;
/** Part of its life up to which a token serves for another connection. */
const REUSED = 0.5;
/** Milliseconds that every token serves: one that ends at once must not be fetched without pause. */
const LEAST = 1_000;
const LONGEST_TOKEN = 65_535;

interface Held extends AccessToken {
  readonly fetchedAt: number;
  readonly renewAt: number | undefined;
}

/**
 * An access token that is fetched anew ahead of its end. By MQTT 5 it is renewed in the session; MQTT 3.1.1 has no way to, and connects again.
 */
export function accessTokenProof(
  fetchToken: FetchAccessToken,
  protocolVersion: 4 | 5,
  { now = Date.now, random = Math.random }: { readonly now?: () => number; readonly random?: () => number } = {},
): LinkProof {
  let held: Held | undefined;
  let reused = false;

  const fetchNew = async (signal: AbortSignal): Promise<ConnectProof> => {
    const { token, expiresAt } = await fetched(fetchToken, signal);
    const life = expiresAt === undefined ? undefined : Math.max(0, expiresAt - now());
    const part = EARLIEST + random() * (LATEST - EARLIEST);
    held = {
      token,
      ...(expiresAt === undefined ? {} : { expiresAt }),
      fetchedAt: now(),
      renewAt: life === undefined ? undefined : now() + Math.max(LEAST, life * part),
    };
    return carrying(token, protocolVersion);
  };

  return {
    async begin(signal) {
      reused = held !== undefined && stillServes(held, now());
      return reused && held !== undefined ? carrying(held.token, protocolVersion) : fetchNew(signal);
    },
    refused() {
      held = undefined;
      return reused;
    },
    dueIn: () => (held?.renewAt === undefined ? undefined : Math.max(0, held.renewAt - now())),
    renew: fetchNew,
  };
}

function stillServes({ fetchedAt, expiresAt }: Held, now: number): boolean {
  return expiresAt === undefined ? false : now < fetchedAt + (expiresAt - fetchedAt) * REUSED;
}

async function fetched(fetchToken: FetchAccessToken, signal: AbortSignal): Promise<AccessToken> {
  let answer: string | AccessToken;
  try {
    answer = await fetchToken(signal);
  } catch (cause) {
    signal.throwIfAborted();
    if (cause instanceof Failure) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Failure('token_unavailable', `No access token could be fetched: ${why}.`, { cause });
  }
  const { token, expiresAt } = typeof answer === 'string' ? { token: answer } : (answer ?? { token: undefined });
  // RFC 6750 section 2.1: visible ASCII.
  if (typeof token !== 'string' || token.length > LONGEST_TOKEN || !/^[\x21-\x7e]+$/.test(token)) {
    throw new Failure('token_unavailable', 'What was fetched is no access token.', {
      cure: 'Hand over the text of `access_token` as the authorization server wrote it.',
    });
  }
  const end = expiresAt ?? endOfJwt(token);
  return end === undefined ? { token } : { token, expiresAt: end };
}

function carrying(token: string, protocolVersion: 4 | 5): ConnectProof {
  if (protocolVersion === 4) return { username: USER_NAME, password: token };
  return { method: METHOD, data: new TextEncoder().encode(token) };
}

/** What a JWT says of its own end. Nobody verifies it here: the server does, and this only plans. */
function endOfJwt(token: string): number | undefined {
  const [, claims = '', signature] = token.split('.');
  if (signature === undefined) return undefined;
  try {
    const { exp } = JSON.parse(atob(claims.replaceAll('-', '+').replaceAll('_', '/'))) as { readonly exp?: unknown };
    return typeof exp === 'number' ? exp * 1000 : undefined;
  } catch {
    return undefined;
  }
}
