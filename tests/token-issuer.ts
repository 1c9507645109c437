import { constants, createHash, generateKeyPairSync, type KeyObject, randomUUID, sign as signBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface IssuerKey {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** A key pair of its own for each algorithm. */
export function issuerKey(alg: string, kid = `${alg}-${randomUUID().slice(0, 8)}`): IssuerKey {
  const pair =
    alg === 'EdDSA'
      ? generateKeyPairSync('ed25519')
      : alg.startsWith('ES')
        ? generateKeyPairSync('ec', { namedCurve: { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' }[alg] ?? 'P-256' })
        : generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { kid, alg, ...pair };
}

export type Claims = Readonly<Record<string, unknown>>;

export function publicJwk({ publicKey, kid, alg }: IssuerKey): Claims {
  return { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' };
}

/** A JWT over the very texts, signed by node:crypto: another hand than the one that verifies. */
export function signedText(header: string, claims: string, { alg, privateKey }: IssuerKey): string {
  const input = `${Buffer.from(header).toString('base64url')}.${Buffer.from(claims).toString('base64url')}`;
  const hash = alg === 'EdDSA' ? null : `sha${alg.slice(2)}`;
  const key = alg.startsWith('PS')
    ? { key: privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
    : alg.startsWith('ES')
      ? ({ key: privateKey, dsaEncoding: 'ieee-p1363' } as const)
      : privateKey;
  return `${input}.${signBytes(hash, Buffer.from(input), key).toString('base64url')}`;
}

/** An authorization server of a test: signs tokens, publishes keys, answers questions about tokens, and goes away when told to. */
export class TokenIssuer {
  readonly audience = 'mqtt.test';
  keys: IssuerKey[];
  /** `down`: it closes each connection; `broken`: it answers what is no answer. */
  state: 'up' | 'down' | 'broken' = 'up';
  /** Requests by path. */
  asked: Record<string, number> = {};
  /** What is said of tokens that are asked about; others are not active. */
  readonly tokens = new Map<string, Claims>();
  lastForm = new URLSearchParams();
  lastAuthorization: string | undefined;
  readonly #server = createServer((request, response) => {
    const path = request.url ?? '';
    this.asked[path] = (this.asked[path] ?? 0) + 1;
    if (this.state === 'down') {
      request.socket.destroy();
      return;
    }
    if (this.state === 'broken') {
      response.end('<html>');
      return;
    }
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = this.#answer(path, Buffer.concat(chunks).toString(), request.headers.authorization);
      response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
    });
  });

  private constructor(keys: IssuerKey[]) {
    this.keys = keys;
  }

  static async open(...algorithms: string[]): Promise<TokenIssuer> {
    const issuer = new TokenIssuer((algorithms.length === 0 ? ['ES256'] : algorithms).map((alg) => issuerKey(alg)));
    await new Promise<void>((resolve) => issuer.#server.listen(0, '127.0.0.1', resolve));
    return issuer;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Claims of RFC 9068 for an application, with changes; undefined takes one away. */
  claims(changes: Claims = {}): Claims {
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: this.url,
      aud: this.audience,
      sub: 'desk',
      client_id: 'desk',
      jti: randomUUID(),
      iat: now,
      exp: now + 300,
      scope: 'mqtt:publish:iot-2/%23 mqtt:subscribe:iot-2/%23',
      ...changes,
    };
    return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
  }

  sign(changes: Claims = {}, header: Claims = {}, key: IssuerKey = this.keys[0]!): string {
    return this.signText(JSON.stringify(this.claims(changes)), header, key);
  }

  /** A token over claims as they are written, for what JSON writers would not write. */
  signText(claims: string, header: Claims = {}, key: IssuerKey = this.keys[0]!): string {
    return signedText(JSON.stringify({ alg: key.alg, kid: key.kid, typ: 'at+jwt', ...header }), claims, key);
  }

  /** An opaque token that is active. */
  opaque(changes: Claims = {}): string {
    const token = createHash('sha256').update(randomUUID()).digest('base64url');
    this.tokens.set(token, this.claims({ token_type: 'Bearer', ...changes }));
    return token;
  }

  revoke(token: string): void {
    this.tokens.delete(token);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(path: string, body: string, authorization: string | undefined): unknown {
    if (path === '/jwks') {
      return { keys: this.keys.map(publicJwk) };
    }
    this.lastForm = new URLSearchParams(body);
    this.lastAuthorization = authorization;
    const claims = this.tokens.get(this.lastForm.get('token') ?? '');
    return claims === undefined ? { active: false } : { active: true, ...claims };
  }
}
