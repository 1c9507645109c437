import { parsePrincipal } from '@sallyport/model';
import {
  fromBase64url,
  type SignedEncoding,
  type Statement,
  type StatementProblem,
  toBase64url,
  type VerificationKey,
  verifyStatement,
} from '@sallyport/trust';

/** A key that the platform has stated, as it is remembered. Times are milliseconds since the epoch. */
export interface KnownKey {
  readonly principal: string;
  readonly keyId: string;
  readonly algorithm: 'EdDSA' | 'ES256';
  /** Base64url. */
  readonly signing: string;
  readonly sealing?: string;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly issuedAt: number;
}

/** What a ring remembers; plain JSON. */
export interface KeyRingState {
  readonly keys: readonly KnownKey[];
  /** Ids that were revoked, the newest first. */
  readonly revoked: readonly string[];
}

export type KeyFinding =
  | { readonly outcome: 'known'; readonly key: KnownKey }
  | { readonly outcome: 'unknown' }
  | { readonly outcome: 'ended' };

export interface KeyRingOptions {
  /** DER of the roots that the platform's statements must lead to. */
  readonly roots: readonly Uint8Array[];
  readonly organisation: string;
  /** Milliseconds by which clocks may differ. */
  readonly skew: number;
  readonly now: () => number;
  /** Principals at most; 10,000 if left out. */
  readonly maximumPrincipals?: number;
}

/** Two overlap while an application changes its keys; more would let old ones live on. */
const MOST_KEYS_OF_ONE = 4;
const MOST_REVOKED = 256;

/** The keys of others, each by a statement of the platform. Takes nothing that was revoked, has ended, or is of another organisation. */
export class KeyRing {
  readonly #options: KeyRingOptions;
  readonly #keys = new Map<string, KnownKey>();
  #revoked: string[] = [];

  constructor(options: KeyRingOptions, state?: KeyRingState) {
    this.#options = options;
    for (const key of state?.keys ?? []) this.#keys.set(key.keyId, key);
    this.#revoked = [...(state?.revoked ?? [])];
  }

  /** Judges a statement without keeping it. */
  async judge(
    encoding: SignedEncoding,
    bytes: Uint8Array,
  ): Promise<
    | { readonly ok: true; readonly statement: Statement }
    | { readonly ok: false; readonly problem: StatementProblem | 'revoked' | 'wrong_organisation' }
  > {
    const { roots, now, skew, organisation } = this.#options;
    const verdict = await verifyStatement(encoding, bytes, { roots, at: now(), skew });
    if (!verdict.ok) return verdict;
    const parsed = parsePrincipal(verdict.statement.principal);
    if (!parsed.ok || parsed.value.kind === 'operator' || parsed.value.organisation !== organisation) {
      return { ok: false, problem: 'wrong_organisation' };
    }
    if (this.#revoked.includes(verdict.statement.keyId)) return { ok: false, problem: 'revoked' };
    return verdict;
  }

  /** Keeps a statement that {@link judge} found good. True if anything is new. */
  keep(statement: Statement): boolean {
    const { principal, keyId, signingKey, sealingKey, notBefore, notAfter, issuedAt, revoked } = statement;
    let isNew = !this.#keys.has(keyId);
    for (const id of revoked) {
      // Only its own: nobody revokes the keys of another.
      const known = this.#keys.get(id);
      if (this.#revoked.includes(id) || (known !== undefined && known.principal !== principal)) continue;
      this.#keys.delete(id);
      this.#revoked = [id, ...this.#revoked].slice(0, MOST_REVOKED);
      isNew = true;
    }
    if (this.#revoked.includes(keyId)) return isNew;
    const known = this.#keys.get(keyId);
    if (known !== undefined && (known.principal !== principal || known.issuedAt >= issuedAt)) return isNew;
    if (known !== undefined && known.notAfter !== notAfter) isNew = true;
    this.#keys.set(keyId, {
      principal,
      keyId,
      algorithm: signingKey.algorithm,
      signing: toBase64url(signingKey.bytes),
      ...(sealingKey === undefined ? {} : { sealing: toBase64url(sealingKey) }),
      notBefore,
      notAfter,
      issuedAt,
    });
    this.#tidy(principal);
    return isNew;
  }

  find(keyId: string): KeyFinding {
    if (this.#revoked.includes(keyId)) return { outcome: 'ended' };
    const key = this.#keys.get(keyId);
    if (key === undefined) return { outcome: 'unknown' };
    const { now, skew } = this.#options;
    return key.notBefore - skew <= now() && now() < key.notAfter + skew
      ? { outcome: 'known', key }
      : { outcome: 'ended' };
  }

  /** The newest key of a principal that can be sealed for. */
  sealingKeyOf(principal: string): KnownKey | undefined {
    return [...this.#keys.values()]
      .filter((key) => key.principal === principal && key.sealing !== undefined)
      .filter(({ keyId }) => this.find(keyId).outcome === 'known')
      .sort((a, b) => b.notBefore - a.notBefore)[0];
  }

  get state(): KeyRingState {
    return { keys: [...this.#keys.values()], revoked: this.#revoked };
  }

  #tidy(principal: string): void {
    const own = [...this.#keys.values()]
      .filter((key) => key.principal === principal)
      .sort((a, b) => b.issuedAt - a.issuedAt || b.notBefore - a.notBefore);
    for (const { keyId } of own.slice(MOST_KEYS_OF_ONE)) this.#keys.delete(keyId);
    const most = (this.#options.maximumPrincipals ?? 10_000) * MOST_KEYS_OF_ONE;
    for (const keyId of this.#keys.keys()) {
      if (this.#keys.size <= most) break;
      this.#keys.delete(keyId);
    }
  }
}

/** The key for signatures of what was remembered. */
export function signingKeyOf({ algorithm, signing }: KnownKey): VerificationKey {
  return { algorithm, bytes: fromBase64url(signing) ?? new Uint8Array(0) };
}
