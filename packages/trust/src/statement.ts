import { parsePrincipal } from '@sallyport/model';
import { fromBase64url, toBase64url } from './base64url.ts';
import { readCertificate } from './certificate.ts';
import { verificationKeyOfCertificate } from './certificate-key.ts';
import { isCount, isText, readClaims, writeClaims } from './claims.ts';
import { coseKeyOf, coseSealingKey, keyOfCose, sealingKeyOfCose } from './cose-key.ts';
import { keyIdOf } from './key-id.ts';
import { sealingPublicKeyOf } from './sealing-key.ts';
import { readSigned, type SignedEncoding, signMessage } from './signed-message.ts';
import { jwkOf, type Signer, type VerificationKey, verificationKeyOf } from './signing-key.ts';
import { type VerificationProblem, verifyChain } from './verify-chain.ts';

/** The keys of a principal as the platform states them. Times are milliseconds since the epoch, in whole seconds. */
export interface Statement {
  /** Written form of the principal. */
  readonly principal: string;
  readonly keyId: string;
  readonly signingKey: VerificationKey;
  /** X25519, 32 bytes. */
  readonly sealingKey?: Uint8Array<ArrayBuffer>;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly issuedAt: number;
  /** Ids of earlier keys of the principal that are not to be trusted any more. */
  readonly revoked: readonly string[];
}

export type StatementProblem =
  | 'malformed'
  | 'wrong_authority'
  | 'bad_signature'
  | 'expired'
  | 'not_yet_valid'
  | VerificationProblem;

export type StatementVerdict =
  | { readonly ok: true; readonly statement: Statement }
  | { readonly ok: false; readonly problem: StatementProblem };

/** Ids of revoked keys that a statement carries at most; the newest count. */
export const MOST_REVOKED = 16;

const ISSUER = 'sallyport';
/* CWT (RFC 8392, RFC 8747) and JWT (RFC 7519, RFC 7800); the last two are private. */
const CLAIMS = {
  issuer: { label: 1, name: 'iss' },
  principal: { label: 2, name: 'sub' },
  expiry: { label: 4, name: 'exp' },
  notBefore: { label: 5, name: 'nbf' },
  issuedAt: { label: 6, name: 'iat' },
  keyId: { label: 7, name: 'jti' },
  confirmation: { label: 8, name: 'cnf' },
  sealing: { label: -70_001, name: 'seal' },
  revoked: { label: -70_002, name: 'revoked' },
} as const;
/** Member of the confirmation that holds the key (RFC 8747 section 3.1, RFC 7800 section 3.2). */
const COSE_KEY = 1;

/** Signs a statement with the key of an authority. `chain`: DER of that authority and those between it and the root. */
export async function signStatement(
  encoding: SignedEncoding,
  statement: Statement,
  authority: Signer,
  chain: readonly Uint8Array[],
): Promise<Uint8Array<ArrayBuffer>> {
  const { principal, keyId, signingKey, sealingKey, revoked } = statement;
  const cose = encoding === 'cose';
  const payload = writeClaims(encoding, CLAIMS, {
    issuer: ISSUER,
    principal,
    expiry: seconds(statement.notAfter),
    notBefore: seconds(statement.notBefore),
    issuedAt: seconds(statement.issuedAt),
    keyId: cose ? fromBase64url(keyId) : keyId,
    confirmation: cose ? new Map([[COSE_KEY, coseKeyOf(signingKey)]]) : { jwk: jwkOf(signingKey) },
    sealing:
      sealingKey === undefined
        ? undefined
        : cose
          ? coseSealingKey(sealingKey)
          : { kty: 'OKP', crv: 'X25519', x: toBase64url(sealingKey) },
    revoked: revoked.length === 0 ? undefined : cose ? revoked.map(fromBase64url) : revoked,
  });
  return signMessage(encoding, 'sallyport-statement', payload, authority, { chain });
}

/**
 * Judges a statement at a given time: it must be signed by an authority (never by a device's or application's certificate) that leads to one
 * of the roots, and its key id must be that of its keys.
 */
export async function verifyStatement(
  encoding: SignedEncoding,
  bytes: Uint8Array,
  { roots, at, skew = 0 }: { readonly roots: readonly Uint8Array[]; readonly at: number; readonly skew?: number },
): Promise<StatementVerdict> {
  const message = readSigned(encoding, 'sallyport-statement', bytes);
  const statement = message && readStatement(encoding, message.payload);
  if (message?.chain === undefined || statement === undefined) return { ok: false, problem: 'malformed' };
  if ((await keyIdOf(statement.signingKey.bytes, statement.sealingKey)) !== statement.keyId) {
    return { ok: false, problem: 'malformed' };
  }
  const chain = await verifyChain({ chain: message.chain, roots, at, purpose: 'authority' });
  if (!chain.verified) return { ok: false, problem: chain.reason };
  if (!(await speaksFor(message.chain[0], statement.principal))) return { ok: false, problem: 'wrong_authority' };
  const authority = message.chain[0] && verificationKeyOfCertificate(message.chain[0]);
  if (authority === undefined || !(await message.signedBy(authority))) return { ok: false, problem: 'bad_signature' };
  if (statement.notAfter + skew <= at) return { ok: false, problem: 'expired' };
  if (statement.notBefore - skew > at) return { ok: false, problem: 'not_yet_valid' };
  return { ok: true, statement };
}

/** Each organisation has an authority of its own; that of another must not state its keys. */
async function speaksFor(der: Uint8Array | undefined, principal: string): Promise<boolean> {
  const parsed = parsePrincipal(principal);
  const read = der && (await readCertificate(der));
  if (!read?.ok || !parsed.ok || parsed.value.kind === 'operator') return false;
  return read.value.commonName?.startsWith(`Sallyport ${parsed.value.organisation} `) ?? false;
}

function readStatement(encoding: SignedEncoding, payload: unknown): Statement | undefined {
  const claims = readClaims(encoding, CLAIMS, payload);
  if (claims === undefined || claims.issuer !== ISSUER) return undefined;
  const { principal, expiry, notBefore, issuedAt } = claims;
  if (!isText(principal) || !parsePrincipal(principal).ok) return undefined;
  if (!isCount(expiry) || !isCount(notBefore) || !isCount(issuedAt)) return undefined;
  const keyId = idOf(encoding, claims.keyId);
  const signingKey = signingKeyIn(encoding, claims.confirmation);
  const sealingKey = sealingKeyIn(encoding, claims.sealing);
  const listed = claims.revoked ?? [];
  if (!Array.isArray(listed) || listed.length > MOST_REVOKED) return undefined;
  const revoked = listed.map((each) => idOf(encoding, each));
  if (keyId === undefined || signingKey === undefined || !revoked.every((each) => each !== undefined)) return undefined;
  if (claims.sealing !== undefined && sealingKey === undefined) return undefined;
  return {
    principal,
    keyId,
    signingKey,
    ...(sealingKey === undefined ? {} : { sealingKey }),
    notBefore: notBefore * 1000,
    notAfter: expiry * 1000,
    issuedAt: issuedAt * 1000,
    revoked,
  };
}

function signingKeyIn(encoding: SignedEncoding, confirmation: unknown): VerificationKey | undefined {
  if (encoding === 'cose') return confirmation instanceof Map ? keyOfCose(confirmation.get(COSE_KEY)) : undefined;
  return verificationKeyOf(((confirmation as { jwk?: object } | undefined)?.jwk ?? {}) as Record<string, unknown>);
}

function sealingKeyIn(encoding: SignedEncoding, value: unknown): Uint8Array<ArrayBuffer> | undefined {
  if (encoding === 'cose') return sealingKeyOfCose(value);
  return sealingPublicKeyOf((value ?? {}) as Record<string, unknown>);
}

function idOf(encoding: SignedEncoding, value: unknown): string | undefined {
  if (encoding === 'cose') return value instanceof Uint8Array && value.length === 16 ? toBase64url(value) : undefined;
  return typeof value === 'string' && fromBase64url(value)?.length === 16 ? value : undefined;
}

function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}
