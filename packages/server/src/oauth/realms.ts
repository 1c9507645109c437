import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Provider } from 'oidc-provider';
import type { KeyRing } from './signing-keys.ts';

/** What answers for one organisation with the keys of now. */
export interface Realm {
  readonly provider: Provider;
  readonly ring: KeyRing;
  readonly answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
}

export interface RealmsOptions {
  readonly issuerOf: (organisation: string) => string;
  /** Rejects with `not_found` where there is no authorization server. */
  readonly ringOf: (organisation: string) => Promise<KeyRing>;
  readonly open: (organisation: string, ring: KeyRing) => Promise<Realm>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Milliseconds for which the keys of a realm are not looked at again. */
const KEYS_LOOKED_AT = 60_000;

/** The realms of all organisations, each opened when it is first asked for, and anew when its keys have moved on. */
export class Realms {
  readonly #options: RealmsOptions;
  readonly #known = new Map<
    string,
    { readonly issuer: string; readonly realm: Promise<Realm>; readonly madeAt: number }
  >();

  constructor(options: RealmsOptions) {
    this.#options = options;
  }

  of(organisation: string): Promise<Realm> {
    const { issuerOf, now } = this.#options;
    const issuer = issuerOf(organisation);
    const known = this.#known.get(organisation);
    // The port of the address may not have been known yet.
    const before = known?.issuer === issuer ? known : undefined;
    if (before && now() - before.madeAt < KEYS_LOOKED_AT) return before.realm;
    const realm = this.#renew(organisation, before?.realm);
    this.#known.set(organisation, { issuer, realm, madeAt: now() });
    realm.catch(() => this.#known.delete(organisation));
    return realm;
  }

  /** The keys have been replaced. */
  forget(organisation: string): void {
    this.#known.delete(organisation);
  }

  async #renew(organisation: string, before: Promise<Realm> | undefined): Promise<Realm> {
    const { ringOf, open } = this.#options;
    const ring = await ringOf(organisation);
    const known = await before;
    return known && namesOf(known.ring) === namesOf(ring) ? known : open(organisation, ring);
  }
}

function namesOf({ keys, active }: KeyRing): string {
  return [active, ...keys].map(({ kid }) => kid).join();
}
