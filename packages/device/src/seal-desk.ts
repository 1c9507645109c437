import { SEALED_FORMATS, type SealedFormat } from '@sallyport/model';
import {
  beginSession,
  currentKey,
  fromBase64url,
  type Identity,
  joinSession,
  judgeNumber,
  type ReplayMemory,
  readSealed,
  type SealedContent,
  type SealedEncoding,
  type SessionKeys,
  sealMessage,
} from '@sallyport/trust';
import type { KeyRing } from './key-ring.ts';

/** What was opened from each key: nothing is opened twice. Plain JSON, to survive a restart. */
export type SealedMemory = Readonly<Record<string, SessionsOfKey>>;

interface SessionsOfKey {
  /** Sessions below are closed. */
  readonly floor: number;
  readonly sessions: Readonly<Record<string, ReplayMemory>>;
}

export interface SealDeskOptions {
  readonly identity: Identity;
  readonly ring: KeyRing;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly memory?: SealedMemory;
  /** Messages of a session before a new one is begun; 65,536 if left out. */
  readonly messagesPerSession?: number;
  /** Milliseconds of a session before a new one is begun; one hour if left out. */
  readonly sessionLifetime?: number;
  /** How many messages may overtake one; 64 if left out. */
  readonly tolerance?: number;
}

export type Opened =
  | {
      readonly outcome: 'opened';
      /** Written form of who sealed it. */
      readonly sender: string;
      readonly content: SealedContent;
      /** Remembers that it was opened. To be called once it is to be used. */
      readonly remember: () => void;
    }
  | { readonly outcome: 'cannot_open' | 'replayed' | 'out_of_order' | 'not_for_me' };

interface OwnSession {
  readonly recipientKeyId: string;
  readonly senderKeyId: string;
  readonly number: number;
  readonly encapsulated: Uint8Array<ArrayBuffer>;
  readonly keys: SessionKeys;
  readonly startedAt: number;
  counter: number;
}

const MOST_JOINED = 256;
const MOST_OWN = 10_000;
/** Sessions of one key that are open at once: the last ones, as messages of a new one may overtake those of the old. */
const MOST_OPEN = 4;
const MOST_KEYS = 10_000;

/** How a sealed format is written. */
export function sealedEncoding(format: string): SealedEncoding | undefined {
  if (!(SEALED_FORMATS as readonly string[]).includes(format)) return undefined;
  return format === 'jwe' ? 'jwe' : 'cose';
}

/** Seals for others and opens what was sealed for this identity, with one session for each peer and direction. */
export class SealDesk {
  readonly #options: SealDeskOptions;
  readonly #own = new Map<string, OwnSession>();
  readonly #joined = new Map<string, Promise<SessionKeys>>();
  #memory: Record<string, SessionsOfKey>;
  #lastSession = 0;

  constructor(options: SealDeskOptions) {
    this.#options = options;
    this.#memory = { ...options.memory };
  }

  get memory(): SealedMemory {
    return this.#memory;
  }

  /** Seals a content for a principal; undefined if no key of it is known, or the identity has none in force. */
  async seal(
    recipient: string,
    topic: string,
    content: SealedContent,
    format: SealedFormat,
  ): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const session = await this.#sessionFor(recipient);
    if (session === undefined) return undefined;
    const { senderKeyId, recipientKeyId, number, encapsulated, keys } = session;
    // Taken at once: two that seal at the same time must not share a nonce.
    const counter = session.counter++;
    return sealMessage(
      format === 'jwe' ? 'jwe' : 'cose',
      content,
      { senderKeyId, recipientKeyId, session: number, encapsulated, counter },
      keys,
      { topic, sender: this.#options.identity.principal },
    );
  }

  /** Opens a sealed payload that came on a topic (the full one). Nothing of it is remembered yet. */
  async open(encoding: SealedEncoding, topic: string, bytes: Uint8Array): Promise<Opened> {
    const { identity, ring, tolerance = 64 } = this.#options;
    const read = readSealed(encoding, bytes);
    if (read === undefined) return { outcome: 'cannot_open' };
    const { header } = read;
    const own = identity.keys.find(({ keyId }) => keyId === header.recipientKeyId);
    if (own === undefined) return { outcome: 'not_for_me' };
    const finding = ring.find(header.senderKeyId);
    const senderKey = finding.outcome === 'known' ? fromBase64url(finding.key.sealing ?? '') : undefined;
    if (finding.outcome !== 'known' || senderKey?.length !== 32) return { outcome: 'cannot_open' };
    const sender = finding.key.principal;
    const parties = { ...header, sender, recipient: identity.principal };
    const name = [header.senderKeyId, header.recipientKeyId, header.session, ...header.encapsulated].join(' ');
    let joining = this.#joined.get(name);
    joining ??= joinSession(parties, own.sealing, senderKey, header.encapsulated);
    const keys = await joining.catch(() => undefined);
    const content = keys && (await read.open(keys, { topic, sender }));
    if (content === undefined) return { outcome: 'cannot_open' };
    // Kept only now: a stranger's inventions must not push out the sessions that are in use.
    this.#joined.set(name, joining);
    if (this.#joined.size > MOST_JOINED) this.#joined.delete(this.#joined.keys().next().value ?? '');

    const known = this.#memory[header.senderKeyId] ?? { floor: 0, sessions: {} };
    if (header.session < known.floor) return { outcome: 'replayed' };
    const verdict = judgeNumber(known.sessions[header.session], header.counter, tolerance);
    if (verdict.outcome !== 'fresh') return { outcome: verdict.outcome };
    const remember = () => this.#remember(header.senderKeyId, header.session, verdict.memory);
    return { outcome: 'opened', sender, content, remember };
  }

  #remember(keyId: string, session: number, memory: ReplayMemory): void {
    const known = this.#memory[keyId] ?? { floor: 0, sessions: {} };
    const sessions: Record<string, ReplayMemory> = { ...known.sessions, [session]: memory };
    const numbers = Object.keys(sessions)
      .map(Number)
      .sort((a, b) => b - a);
    let { floor } = known;
    for (const closed of numbers.slice(MOST_OPEN)) {
      delete sessions[closed];
      floor = Math.max(floor, closed + 1);
    }
    delete this.#memory[keyId];
    this.#memory[keyId] = { floor, sessions };
    const keys = Object.keys(this.#memory);
    // What has been silent longest goes first, and only keys that are not in force any more may be forgotten.
    for (const old of keys.slice(0, Math.max(0, keys.length - MOST_KEYS))) {
      if (this.#options.ring.find(old).outcome !== 'known') delete this.#memory[old];
    }
  }

  async #sessionFor(recipient: string): Promise<OwnSession | undefined> {
    const { identity, ring, now, messagesPerSession = 65_536, sessionLifetime = 3_600_000 } = this.#options;
    const key = ring.sealingKeyOf(recipient);
    const own = currentKey(identity, now());
    const recipientKey = fromBase64url(key?.sealing ?? '');
    if (key === undefined || own === undefined || recipientKey?.length !== 32) return undefined;
    const live = this.#own.get(recipient);
    const isLive =
      live?.recipientKeyId === key.keyId &&
      live.senderKeyId === own.keyId &&
      live.counter < messagesPerSession &&
      now() - live.startedAt < sessionLifetime;
    if (isLive) return live;
    const number = Math.max(now(), this.#lastSession + 1);
    this.#lastSession = number;
    const parties = {
      sender: identity.principal,
      senderKeyId: own.keyId,
      recipient,
      recipientKeyId: key.keyId,
      session: number,
    };
    const begun = await beginSession(parties, own.sealing, recipientKey);
    const { senderKeyId, recipientKeyId } = parties;
    const session = { senderKeyId, recipientKeyId, number, ...begun, startedAt: now(), counter: 0 };
    this.#own.delete(recipient);
    this.#own.set(recipient, session);
    if (this.#own.size > MOST_OWN) this.#own.delete(this.#own.keys().next().value ?? '');
    return session;
  }
}
