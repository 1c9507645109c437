import type { Refusal, RefusalReason } from '@sallyport/model';
import { present } from '../storage/present.ts';
import { clip, clipped } from './clip.ts';
import { newTicket } from './ticket.ts';

/** A refusal before it has its ticket. */
export type NewRefusal = Omit<Refusal, 'ticket' | 'at' | 'lastAt' | 'count'>;

interface Entry {
  readonly first: Refusal;
  readonly at: number;
  lastAt: number;
  count: number;
  /** How much of the count is on disk. */
  saved: number;
  /** Of refusals that have no trace of their own: how many for which reason. */
  readonly reasons?: Map<RefusalReason, number>;
}

/** How long equal refusals share a ticket, and over how long new tickets are counted. */
const PERIOD = 60_000;
const TICKETS_OF_ADDRESS = 300;
const TICKETS_OF_ALL = 3000;
const MOST_KEPT = 5_000;
const MOST_STEPS = 20;

/**
 * The refusals in memory. Bounded however many come and whatever they say; each is counted exactly once, under a ticket of its own
 * kind or, when there are too many, under one that says how many there were.
 */
export class RefusalBook {
  readonly #most: number;
  readonly #ticketsOfAddress: number;
  readonly #ticketsOfAll: number;
  readonly #now: () => number;
  readonly #random: (size: number) => Uint8Array;
  /** By ticket, oldest first. */
  readonly #entries = new Map<string, Entry>();
  /** What later equal refusals are counted under. */
  readonly #current = new Map<string, Entry>();
  #periodEnds = 0;
  #tickets = 0;
  readonly #ticketsOf = new Map<string, number>();
  #total = 0;
  #untraced = 0;

  /** `most`: refusals that are kept in memory, 5,000 if left out. `share`: part of all bounds, where several keep books for one server. */
  constructor(now: () => number, random: (size: number) => Uint8Array, most = MOST_KEPT, share = 1) {
    this.#most = most;
    this.#ticketsOfAddress = Math.ceil(TICKETS_OF_ADDRESS * share);
    this.#ticketsOfAll = Math.ceil(TICKETS_OF_ALL * share);
    this.#now = now;
    this.#random = random;
  }

  get counts(): { readonly total: number; readonly untraced: number } {
    return { total: this.#total, untraced: this.#untraced };
  }

  add(refusal: NewRefusal): Refusal {
    const now = this.#now();
    this.#turnPeriod(now);
    this.#total += 1;
    const key = keyOf(refusal);
    const known = this.#current.get(key);
    if (known && now - known.at < PERIOD) {
      met(known, now);
      return shown(known);
    }
    const bounded = boundedRefusal(refusal);
    const address = bounded.address ?? '';
    if (this.#tickets >= this.#ticketsOfAll) {
      this.#untraced += 1;
      return this.#addUntraced('all', 'all addresses', bounded, now);
    }
    if ((this.#ticketsOf.get(address) ?? 0) >= this.#ticketsOfAddress) {
      this.#untraced += 1;
      return this.#addUntraced(`of ${address}`, address || 'an unknown address', bounded, now);
    }
    this.#ticketsOf.set(address, (this.#ticketsOf.get(address) ?? 0) + 1);
    const entry = this.#open(bounded, now);
    this.#current.set(key, entry);
    this.#forgetOldest(now);
    return shown(entry);
  }

  /** Takes refusals that another book of the same server has kept and counted, with those of it that have no trace of their own. */
  adopt(refusals: readonly Refusal[], untraced: number): void {
    const now = this.#now();
    this.#untraced += untraced;
    for (const refusal of refusals) {
      const { ticket, count } = refusal;
      const known = this.#entries.get(ticket);
      this.#total += count - (known?.count ?? 0);
      const lastAt = Date.parse(refusal.lastAt);
      const { at = now, saved = 0 } = known ?? {};
      this.#entries.set(ticket, { first: refusal, at, lastAt, count, saved });
    }
    this.#forgetOldest(now);
  }

  find(ticket: string): Refusal | undefined {
    const entry = this.#entries.get(ticket);
    return entry && shown(entry);
  }

  /** Newest first. */
  list(): Refusal[] {
    return [...this.#entries.values()].reverse().map(shown);
  }

  /** Refusals that have changed since they were saved, at most `most`; `failed` gives them back. */
  takeUnsaved(most: number): { readonly refusals: readonly Refusal[]; failed(): void } {
    const taken: Entry[] = [];
    for (const entry of this.#entries.values()) {
      if (taken.length >= most) break;
      if (entry.saved !== entry.count) taken.push(entry);
    }
    const before = taken.map((entry) => entry.saved);
    for (const entry of taken) entry.saved = entry.count;
    return {
      refusals: taken.map(shown),
      failed: () => {
        for (const [index, entry] of taken.entries()) entry.saved = before[index] ?? 0;
      },
    };
  }

  #turnPeriod(now: number): void {
    if (now < this.#periodEnds && now >= this.#periodEnds - PERIOD) return;
    this.#periodEnds = now + PERIOD;
    this.#tickets = 0;
    this.#ticketsOf.clear();
    for (const [key, entry] of this.#current) if (now - entry.at >= PERIOD) this.#current.delete(key);
  }

  #open(refusal: NewRefusal, now: number, reasons?: Map<RefusalReason, number>): Entry {
    this.#tickets += 1;
    let ticket = newTicket(this.#random);
    while (this.#entries.has(ticket)) ticket = newTicket(this.#random);
    const at = new Date(now).toISOString();
    const first = { ...refusal, ticket, at, lastAt: at, count: 1 };
    const entry = { first, at: now, lastAt: now, count: 1, saved: 0, ...(reasons && { reasons }) };
    this.#entries.set(ticket, entry);
    return entry;
  }

  /** Counts under the one ticket for what is too much: of one address, or of all. */
  #addUntraced(key: string, whose: string, refusal: NewRefusal, now: number, count = 1): Refusal {
    const current = this.#current.get(key);
    let entry = current && now - current.at < PERIOD ? current : undefined;
    if (entry) {
      met(entry, now, count);
    } else {
      const cure = 'Look at the refusals of the same minute that were kept: `sallyport refusals --address ADDRESS`.';
      const text = `There were more refusals from ${clip(whose)} within a minute than are kept one by one.`;
      const { action, reason, reasonCode, address } = refusal;
      const step = { stage: 'limits', outcome: 'failed', text } as const;
      const whole = { action, reason, reasonCode, ...(key !== 'all' && present({ address })), steps: [step], cure };
      entry = this.#open(whole, now, new Map());
      entry.count = count;
      this.#current.set(key, entry);
    }
    entry.reasons?.set(refusal.reason, (entry.reasons.get(refusal.reason) ?? 0) + count);
    const { ticket, at } = entry.first;
    return { ...refusal, ticket, at, lastAt: new Date(now).toISOString(), count: entry.count };
  }

  #forgetOldest(now: number): void {
    for (const [ticket, entry] of this.#entries) {
      if (this.#entries.size <= this.#most) return;
      this.#entries.delete(ticket);
      for (const [key, current] of this.#current) if (current === entry) this.#current.delete(key);
      // What the disk has not taken loses its trace, but not its count.
      const lost = entry.count - entry.saved;
      if (lost === 0) continue;
      if (entry.reasons === undefined) this.#untraced += lost;
      this.#addUntraced('all', 'all addresses', entry.first, now, lost);
    }
  }
}

function met(entry: Entry, now: number, count = 1): void {
  entry.count += count;
  entry.lastAt = now;
}

function shown({ first, lastAt, count, reasons }: Entry): Refusal {
  const refusal = { ...first, lastAt: new Date(lastAt).toISOString(), count };
  if (reasons === undefined) return refusal;
  const list = [...reasons].map(([reason, times]) => `${reason} ${times}`).join(', ');
  const step = { stage: 'limits', outcome: 'failed', text: `${count} were counted without a trace: ${list}.` } as const;
  return { ...refusal, steps: [...first.steps, step] };
}

/** Everything in a refusal may come from a stranger: none of it is kept at any size. */
function boundedRefusal(refusal: NewRefusal): NewRefusal {
  return {
    ...refusal,
    ...present({
      organisation: clipped(refusal.organisation),
      principal: clipped(refusal.principal),
      clientId: clipped(refusal.clientId),
      address: clipped(refusal.address),
      resource: clipped(refusal.resource),
    }),
    cure: clip(refusal.cure, 1000),
    steps: refusal.steps.slice(0, MOST_STEPS).map(({ stage, outcome, text, compared, statements }) => ({
      stage,
      outcome,
      text: clip(text, 1000),
      ...present({
        compared: compared && {
          what: clip(compared.what),
          found: clip(compared.found),
          expected: clip(compared.expected, 1000),
        },
        statements: statements?.slice(0, MOST_STEPS).map((id) => clip(id)),
      }),
    })),
  };
}

function keyOf({ address, clientId, principal, action, resource, reason, steps, cure }: NewRefusal): string {
  const names = `${clip(principal ?? '')}\n${clip(clientId ?? '')}\n${clip(resource ?? '')}`;
  // Another cure is another mistake, also where everything else is the same.
  const certificate = steps.find(({ stage, outcome }) => stage === 'certificate' && outcome === 'failed');
  // One reason covers many mistakes in certificates, and who mends one wants to hear of the next.
  return `${reason}\n${action}\n${address ?? ''}\n${names}\n${clip(cure)}\n${clip(certificate?.text ?? '')}\n${clip(certificate?.compared?.found ?? '')}`;
}
