import type { AlertChannelDocument, AlertTestDocument, Severity } from '@sallyport/model';
import type { AlertEvent } from '../events/alert-events.ts';
import type { AlertedIncident, AlertWay } from './alert-way.ts';

export interface AlertChannelOptions {
  readonly way: AlertWay;
  readonly incidentsOf: (ids: readonly string[]) => Promise<readonly AlertedIncident[]>;
  /** Milliseconds for which the way is left alone after {@link ATTEMPTS} failures in a row. */
  readonly pause: number;
  readonly emit: (event: AlertEvent) => void;
  readonly now: () => number;
}

/** Incidents in one letter; what is beyond is counted. */
const LETTER = 50;
/** Incidents that wait; what is beyond is counted. */
const WAITING = 1_000;
/** Milliseconds in which what belongs together comes together: an incident, and what was done about it. */
const COLLECTED = 250;
/** Failures in a row after which the way is left alone for a while. */
const ATTEMPTS = 5;
/** Milliseconds before the second attempt; each later one waits twice as long. */
const RETRY = 1_000;

/** The queue of one way of telling: one letter at a time, not more often than its interval allows, and again if it was not taken. */
export class AlertChannel {
  readonly #options: AlertChannelOptions;
  readonly #waiting = new Set<string>();
  #more = 0;
  #failures = 0;
  #problem: string | undefined;
  #deliveredAt: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> | undefined;
  #closed = false;

  constructor(options: AlertChannelOptions) {
    this.#options = options;
  }

  get severity(): Severity {
    return this.#options.way.severity;
  }

  /** The incident goes with the next letter, as it stands then. */
  tell(incident: string): void {
    if (!this.#waiting.has(incident) && this.#waiting.size >= WAITING) this.#more++;
    else this.#waiting.add(incident);
    const { way, now } = this.#options;
    const earliest = this.#deliveredAt === undefined ? 0 : this.#deliveredAt + way.interval - now();
    this.#plan(Math.max(COLLECTED, earliest));
  }

  describe(): AlertChannelDocument {
    const { channel, severity, interval } = this.#options.way;
    const problem = this.#problem;
    return {
      channel,
      severity,
      interval,
      state: problem !== undefined ? 'failing' : this.#deliveredAt === undefined ? 'untried' : 'ok',
      waiting: this.#waiting.size + this.#more,
      ...(this.#deliveredAt !== undefined && { deliveredAt: new Date(this.#deliveredAt).toISOString() }),
      ...(problem !== undefined && { problem }),
    };
  }

  /** Sends a letter without incidents now. */
  async test(): Promise<AlertTestDocument> {
    const { channel, send } = this.#options.way;
    try {
      await send({ test: true, incidents: [], more: 0 });
      return { channel, delivered: true };
    } catch (error) {
      return { channel, delivered: false, problem: problemOf(error) };
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#sending;
    if (this.#failures === 0 && this.#waiting.size > 0) await this.#send();
  }

  #plan(delay: number): void {
    if (this.#timer || this.#sending || this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#sending = this.#send().finally(() => {
        this.#sending = undefined;
        if (this.#waiting.size > 0) this.#plan(this.#delay());
      });
    }, delay).unref();
  }

  /** Milliseconds until the next letter. */
  #delay(): number {
    const { way, pause } = this.#options;
    if (this.#failures === 0) return way.interval;
    return this.#failures < ATTEMPTS ? RETRY * 2 ** (this.#failures - 1) : pause;
  }

  async #send(): Promise<void> {
    const { way, incidentsOf, emit, now } = this.#options;
    const { channel } = way;
    const told = [...this.#waiting].slice(0, LETTER);
    const more = this.#waiting.size - told.length + this.#more;
    // What comes from now on, be it about the same incidents, goes with the next letter.
    this.#waiting.clear();
    this.#more = 0;
    try {
      await way.send({ test: false, incidents: await incidentsOf(told), more });
    } catch (error) {
      for (const id of told) this.#waiting.add(id);
      this.#more += more;
      this.#failures++;
      this.#problem = problemOf(error);
      if (this.#failures === 1 || this.#failures % ATTEMPTS === 0) {
        emit({ type: 'alert.failing', channel, problem: this.#problem, failures: this.#failures });
      }
      return;
    }
    this.#deliveredAt = now();
    if (this.#failures > 0) emit({ type: 'alert.recovered', channel });
    this.#failures = 0;
    this.#problem = undefined;
    emit({ type: 'alert.delivered', channel, incidents: told.length, more });
  }
}

function problemOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  // What a mail server or web service says is a stranger's text.
  return text.replace(/\p{C}+/gu, ' ').slice(0, 300);
}
