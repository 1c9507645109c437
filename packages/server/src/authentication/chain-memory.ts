/** Authorities are few: a fleet has one or two intermediates. */
const KEPT = 1000;

/**
 * Remembers the intermediate authorities of chains that were verified, by the hash of the issuer's name. A resumed handshake does not
 * repeat the chain, and its certificate is judged anew all the same. Nothing that a stranger sends is remembered.
 */
export class ChainMemory {
  readonly #chains = new Map<string, readonly Uint8Array[]>();

  remember(issuerNameHash: string, chain: readonly Uint8Array[]): void {
    this.#chains.delete(issuerNameHash);
    this.#chains.set(issuerNameHash, chain);
    const oldest = this.#chains.keys().next();
    if (this.#chains.size > KEPT && !oldest.done) this.#chains.delete(oldest.value);
  }

  /** In the order from the issuer upwards. */
  find(issuerNameHash: string): readonly Uint8Array[] {
    return this.#chains.get(issuerNameHash) ?? [];
  }
}
