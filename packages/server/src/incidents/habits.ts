import type { Reading } from '../events/reading.ts';
import { keep } from './keep.ts';
import { type Learned, type LearnedNumbers, learned } from './learned.ts';
import type { Suspicion } from './suspicion.ts';

/** What is known of one device. */
export interface HabitOfDevice {
  readonly principal: string;
  /** When it was heard first, and last. Milliseconds since the epoch. */
  readonly since: number;
  readonly heard: number;
  readonly rate: LearnedNumbers;
  readonly size: LearnedNumbers;
}

/** What keeps it over a restart. */
export interface HabitStore {
  /** Who was silent longest comes first. */
  load(): Promise<readonly HabitOfDevice[]>;
  save(habits: readonly HabitOfDevice[]): Promise<void>;
  remove(principals: readonly string[]): Promise<void>;
}

export interface HabitsOptions {
  readonly store: HabitStore;
  /** Milliseconds for which a device is only watched before anything of it can be unusual. */
  readonly learning: number;
  /** So many times as much as usual is unusual, at least. */
  readonly factor: number;
  readonly now: () => number;
}

interface Habit {
  readonly since: number;
  heard: number;
  readonly rate: Learned;
  readonly size: Learned;
}

interface Sent {
  readonly organisation: string;
  messages: number;
  bytes: number;
}

/** Devices whose habits are known; who was silent longest goes first. */
const DEVICES = 20_000;
/** What is less than so many messages a minute, or bytes a message, is never unusual. */
const LEAST_RATE = 60;
const LEAST_SIZE = 1024;

/**
 * Knows how often and how much each device usually sends, and tells when one is far from its own past. A device is compared with nobody
 * but itself, and by nothing that others could have sent. Memory and disk are bounded: some numbers for each device that was heard.
 */
export class Habits {
  readonly #options: HabitsOptions;
  readonly #habits = new Map<string, Habit>();
  #before = new Map<number, Reading>();
  /** Of connections that have ended since the last look. */
  readonly #ended = new Map<string, Sent>();
  #looked: number;
  /** Since it was saved last: devices that were heard, and those that are not known any more. */
  readonly #heard = new Set<string>();
  readonly #forgotten = new Set<string>();
  #saving: Promise<void> = Promise.resolve();

  constructor(options: HabitsOptions) {
    this.#options = options;
    this.#looked = options.now();
  }

  /** Takes up what an earlier process has learned. */
  async load(): Promise<void> {
    for (const { principal, since, heard, rate, size } of await this.#options.store.load()) {
      const habit = { since, heard, rate: learned(rate), size: learned(size) };
      this.#drop(keep(this.#habits, principal, habit, DEVICES));
    }
  }

  /** Puts on disk what was learned since the last time. What could not be written is tried again the next time. */
  save(): Promise<void> {
    const saved = this.#saving.then(() => this.#write());
    this.#saving = saved.catch(() => {});
    return saved;
  }

  /** Another device may get the name. */
  forget(principal: string): void {
    if (this.#habits.delete(principal)) this.#drop(principal);
  }

  /** Takes in the last of a connection, so that short ones do not escape. */
  closed(last: Reading): void {
    if (!isDevice(last) || this.#ended.size >= DEVICES) return;
    addTo(this.#ended, last, this.#before.get(last.presence));
    this.#before.delete(last.presence);
  }

  /** Looks at all open connections; to be called again and again, at even intervals. */
  look(readings: Iterable<Reading>): readonly Suspicion[] {
    const now = this.#options.now();
    const minutes = (now - this.#looked) / 60_000;
    const sent = new Map(this.#ended);
    this.#ended.clear();
    const seen = new Map<number, Reading>();
    for (const reading of readings) {
      if (!isDevice(reading)) continue;
      addTo(sent, reading, this.#before.get(reading.presence));
      seen.set(reading.presence, reading);
    }
    this.#before = seen;
    this.#looked = now;
    if (minutes <= 0) return [];
    return [...sent].flatMap(([principal, one]) => this.#weigh(principal, one, minutes, now));
  }

  #weigh(principal: string, { organisation, messages, bytes }: Sent, minutes: number, now: number): Suspicion[] {
    if (messages === 0) return [];
    const habit = this.#habits.get(principal) ?? { since: now, heard: now, rate: learned(), size: learned() };
    habit.heard = now;
    this.#drop(keep(this.#habits, principal, habit, DEVICES));
    this.#heard.add(principal);
    this.#forgotten.delete(principal);
    const { learning, factor } = this.#options;
    const isLearned = now - habit.since >= learning;
    const rate = messages / minutes;
    const size = bytes / messages;
    const usualRate = habit.rate.usual;
    const usualSize = habit.size.usual;
    const found: Suspicion[] = [];
    if (habit.rate.judge(rate, factor) && isLearned && rate >= LEAST_RATE) {
      const text = `It sent ${round(rate)} messages a minute; its habit is ${round(usualRate)}.`;
      found.push({ rule: 'unusual-rate', subject: principal, organisation, text });
    }
    if (habit.size.judge(size, factor) && isLearned && size >= LEAST_SIZE) {
      const text = `Its messages had ${round(size)} bytes on average; its habit is ${round(usualSize)}.`;
      found.push({ rule: 'unusual-size', subject: principal, organisation, text });
    }
    return found;
  }

  #drop(principal: string | undefined): void {
    if (principal === undefined) return;
    this.#heard.delete(principal);
    this.#forgotten.add(principal);
  }

  async #write(): Promise<void> {
    const [heard, forgotten] = [[...this.#heard], [...this.#forgotten]];
    this.#heard.clear();
    this.#forgotten.clear();
    try {
      await this.#options.store.remove(forgotten);
      await this.#options.store.save(
        heard.flatMap((principal) => {
          const habit = this.#habits.get(principal);
          if (habit === undefined) return [];
          const { since, heard: at, rate, size } = habit;
          return [{ principal, since, heard: at, rate: rate.numbers, size: size.numbers }];
        }),
      );
    } catch (error) {
      for (const principal of heard) if (this.#habits.has(principal)) this.#heard.add(principal);
      for (const principal of forgotten) if (!this.#habits.has(principal)) this.#forgotten.add(principal);
      throw error;
    }
  }
}

/** Gateways and applications have as many habits as devices behind them, or users. */
function isDevice({ principal }: Reading): boolean {
  return principal.startsWith('device:');
}

function addTo(sent: Map<string, Sent>, { principal, organisation, messages, bytes }: Reading, before?: Reading): void {
  const one = sent.get(principal) ?? { organisation, messages: 0, bytes: 0 };
  one.messages += messages - (before?.messages ?? 0);
  one.bytes += bytes - (before?.bytes ?? 0);
  sent.set(principal, one);
}

function round(value: number): string {
  return value < 10 ? value.toFixed(1) : String(Math.round(value));
}
