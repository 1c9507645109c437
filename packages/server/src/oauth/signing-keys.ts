import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { Failure } from '@sallyport/model';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose';
import type { Database } from '../storage/database.ts';

/** A key with which access tokens are, were or will be signed. */
export interface SigningKey {
  readonly kid: string;
  /** With its private part. */
  readonly jwk: JWK;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly signsFrom: number;
}

export interface KeyRing {
  /** Newest first; every one is published. */
  readonly keys: readonly SigningKey[];
  readonly active: SigningKey;
}

export interface SigningKeysOptions {
  readonly database: Database;
  /** Key of at least 32 bytes that is kept apart from the database. */
  readonly serverKey: Uint8Array;
  readonly now: () => number;
  /** How long a key signs. */
  readonly lifetime: number;
  /** How long a key is published before it signs and after it has signed its last. */
  readonly overlap: number;
}

export const SIGNING_ALGORITHM = 'ES256';
const IV_LENGTH = 12;
const TAG_LENGTH = 16;

/**
 * The signing keys of the organisations, sealed in the registry (AES-256-GCM). A successor is published before it signs and a
 * predecessor for as long afterwards, so that nobody who caches the keys meets a token of a key that he does not know.
 */
export class SigningKeys {
  readonly #options: SigningKeysOptions;
  readonly #sealing: Uint8Array;
  readonly #reading = new Map<string, Promise<KeyRing>>();

  constructor(options: SigningKeysOptions) {
    this.#options = options;
    this.#sealing = new Uint8Array(hkdfSync('sha256', options.serverKey, '', 'sallyport oauth signing keys', 32));
  }

  /** The keys as they are now, with the steps that are due taken: first key, successor, removal. */
  ring(organisation: string): Promise<KeyRing> {
    // One at a time: two who ask first would make two first keys.
    const known = this.#reading.get(organisation);
    if (known) return known;
    const reading = this.#step(organisation).finally(() => this.#reading.delete(organisation));
    this.#reading.set(organisation, reading);
    return reading;
  }

  async #step(organisation: string): Promise<KeyRing> {
    const { now, lifetime, overlap } = this.#options;
    const keys = await this.#read(organisation);
    if (keys.length === 0) keys.push(await this.#make(organisation, now()));
    const newest = keys[0]!;
    if (newest.signsFrom + lifetime - overlap <= now()) {
      keys.unshift(await this.#make(organisation, Math.max(now() + overlap, newest.signsFrom)));
    }
    return this.#ringOf(organisation, keys);
  }

  /** Has a new key sign from now on, because the old one may be known to others: it is withdrawn at once. */
  async replace(organisation: string): Promise<KeyRing> {
    const { database, now } = this.#options;
    await database.query.deleteFrom('oauth_keys').where('organisation', '=', organisation).execute();
    return this.#ringOf(organisation, [await this.#make(organisation, now())]);
  }

  /** Publishes a successor now, ahead of its time; it signs when the overlap is over. */
  async rotate(organisation: string): Promise<KeyRing> {
    const { now, overlap } = this.#options;
    await this.ring(organisation);
    const [newest, ...rest] = await this.#read(organisation);
    const waits = newest !== undefined && newest.signsFrom > now();
    const keys = waits ? [newest, ...rest] : [await this.#make(organisation, now() + overlap), newest!, ...rest];
    return this.#ringOf(organisation, keys);
  }

  async #ringOf(organisation: string, keys: readonly SigningKey[]): Promise<KeyRing> {
    const { database, now, overlap } = this.#options;
    const at = keys.findIndex(({ signsFrom }) => signsFrom <= now());
    const active = keys[at]!;
    const ended = keys.filter((_, index) => index > at && keys[index - 1]!.signsFrom + overlap <= now());
    for (const { kid } of ended) {
      await database.query
        .deleteFrom('oauth_keys')
        .where('organisation', '=', organisation)
        .where('kid', '=', kid)
        .execute();
    }
    return { keys: keys.filter((key) => !ended.includes(key)), active };
  }

  async #read(organisation: string): Promise<SigningKey[]> {
    const rows = await this.#options.database.query
      .selectFrom('oauth_keys')
      .selectAll()
      .where('organisation', '=', organisation)
      .orderBy('signs_from', 'desc')
      .execute();
    return rows.map(({ kid, sealed, created_at, signs_from }) => ({
      kid,
      jwk: this.#open(organisation, kid, sealed),
      createdAt: Number(created_at),
      signsFrom: Number(signs_from),
    }));
  }

  async #make(organisation: string, signsFrom: number): Promise<SigningKey> {
    const { privateKey } = await generateKeyPair(SIGNING_ALGORITHM, { extractable: true });
    const bare = await exportJWK(privateKey);
    const kid = await calculateJwkThumbprint(bare);
    const jwk: JWK = { ...bare, kid, use: 'sig', alg: SIGNING_ALGORITHM };
    const createdAt = this.#options.now();
    await this.#options.database.query
      .insertInto('oauth_keys')
      .values({
        organisation,
        kid,
        sealed: this.#seal(organisation, kid, jwk),
        created_at: createdAt,
        signs_from: signsFrom,
      })
      .execute();
    return { kid, jwk, createdAt, signsFrom };
  }

  #seal(organisation: string, kid: string, jwk: JWK): string {
    const iv = randomBytes(IV_LENGTH);
    const cipher = createCipheriv('aes-256-gcm', this.#sealing, iv).setAAD(Buffer.from(`${organisation} ${kid}`));
    const text = Buffer.concat([cipher.update(JSON.stringify(jwk), 'utf8'), cipher.final()]);
    return Buffer.concat([iv, cipher.getAuthTag(), text]).toString('base64url');
  }

  #open(organisation: string, kid: string, sealed: string): JWK {
    const bytes = Buffer.from(sealed, 'base64url');
    try {
      const decipher = createDecipheriv('aes-256-gcm', this.#sealing, bytes.subarray(0, IV_LENGTH), {
        authTagLength: TAG_LENGTH,
      })
        .setAAD(Buffer.from(`${organisation} ${kid}`))
        .setAuthTag(bytes.subarray(IV_LENGTH, IV_LENGTH + TAG_LENGTH));
      const text = Buffer.concat([decipher.update(bytes.subarray(IV_LENGTH + TAG_LENGTH)), decipher.final()]);
      return JSON.parse(text.toString('utf8')) as JWK;
    } catch (cause) {
      throw new Failure('key_material_invalid', `The signing key ${kid} of ${organisation} cannot be unsealed.`, {
        cause,
        cure: 'Restore token.key and registry.db from the same backup, or withdraw the keys with `sallyport oauth rotate-keys --at-once`.',
      });
    }
  }
}
