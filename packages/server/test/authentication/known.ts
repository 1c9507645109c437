import { createHash, timingSafeEqual } from 'node:crypto';
import { parseClientId, type SecurityLevel } from '@sallyport/model';
import type { Evidence } from '../../src/authentication/authenticator.ts';
import type { KnownCredential, KnownPrincipal, TokenMatcher } from '../../src/authentication/known-principal.ts';
import type { TransportFacts } from '../../src/events/transport-facts.ts';

export const NOW = Date.UTC(2026, 0, 31, 12);

export const hashOf = (secret: string): Buffer => createHash('sha256').update(secret).digest();

/** Counts comparisons, so that a test can see that nobody gets away without one. */
export function countingTokens(): TokenMatcher & { compared: number } {
  return {
    compared: 0,
    matches(token, hash) {
      this.compared++;
      return hash.length === 32 && timingSafeEqual(createHash('sha256').update(token).digest(), hash);
    },
  };
}

export function token(id: string, secret: string, more: Partial<KnownCredential> = {}): KnownCredential {
  return { id, kind: 'token', hash: hashOf(secret), createdAt: NOW - 1000, ...more };
}

export function device(credentials: readonly KnownCredential[], more: Partial<KnownPrincipal> = {}): KnownPrincipal {
  return {
    principal: { kind: 'device', organisation: 'demo', type: 'pump', id: 'pump-7' },
    roles: [],
    security: 'tls-token',
    credentials,
    ...more,
  };
}

export function application(
  credentials: readonly KnownCredential[],
  security: SecurityLevel = 'tls-token',
): KnownPrincipal {
  return {
    principal: { kind: 'application', organisation: 'demo', id: 'desk' },
    roles: ['standard'],
    security,
    credentials,
  };
}

export const TLS: TransportFacts = {
  listener: 'mqtt-tls',
  transport: 'tls',
  secure: true,
  remoteAddress: '192.0.2.7',
  remotePort: 40000,
  localPort: 8883,
  tlsVersion: 'TLSv1.3',
  cipher: 'TLS_AES_128_GCM_SHA256',
};

export const PLAIN: TransportFacts = {
  listener: 'mqtt-plain',
  transport: 'tcp',
  secure: false,
  remoteAddress: '192.0.2.7',
  remotePort: 40000,
  localPort: 1883,
};

export function evidence(clientId: string, username?: string, password?: string, transport = TLS): Evidence {
  const parsed = parseClientId(clientId);
  if (!parsed.ok) throw new Error(parsed.problem);
  return {
    clientId: parsed.value,
    transport,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password: Buffer.from(password) }),
  };
}
