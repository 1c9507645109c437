import type { VerificationKey } from './signing-key.ts';

/* Labels and values of COSE_Key (RFC 9052 section 7, RFC 9053 section 7.1). */
const KTY = 1;
const CRV = -1;
const X = -2;
const Y = -3;
const OKP = 1;
const EC2 = 2;
const P256 = 1;
const X25519 = 4;
const ED25519 = 6;

/** A key for signatures as COSE_Key. */
export function coseKeyOf({ algorithm, bytes }: VerificationKey): Map<number, unknown> {
  if (algorithm === 'EdDSA') return okp(ED25519, bytes);
  return new Map<number, unknown>([
    [KTY, EC2],
    [CRV, P256],
    [X, bytes.slice(1, 33)],
    [Y, bytes.slice(33)],
  ]);
}

/** A key for X25519 as COSE_Key. */
export function coseSealingKey(bytes: Uint8Array): Map<number, unknown> {
  return okp(X25519, bytes);
}

/** Reads what {@link coseKeyOf} wrote. */
export function keyOfCose(value: unknown): VerificationKey | undefined {
  if (!(value instanceof Map)) return undefined;
  const x = coordinate(value.get(X));
  if (x === undefined) return undefined;
  if (isOkp(value, ED25519)) return { algorithm: 'EdDSA', bytes: x };
  const y = coordinate(value.get(Y));
  if (y === undefined || value.size !== 4 || value.get(KTY) !== EC2 || value.get(CRV) !== P256) return undefined;
  return { algorithm: 'ES256', bytes: Uint8Array.from([4, ...x, ...y]) };
}

/** Reads what {@link coseSealingKey} wrote. */
export function sealingKeyOfCose(value: unknown): Uint8Array<ArrayBuffer> | undefined {
  return value instanceof Map && isOkp(value, X25519) ? coordinate(value.get(X)) : undefined;
}

function okp(curve: number, bytes: Uint8Array): Map<number, unknown> {
  return new Map<number, unknown>([
    [KTY, OKP],
    [CRV, curve],
    [X, bytes],
  ]);
}

function isOkp(value: ReadonlyMap<unknown, unknown>, curve: number): boolean {
  return value.size === 3 && value.get(KTY) === OKP && value.get(CRV) === curve;
}

function coordinate(value: unknown): Uint8Array<ArrayBuffer> | undefined {
  return value instanceof Uint8Array && value.length === 32 ? Uint8Array.from(value) : undefined;
}
