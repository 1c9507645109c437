import type { Failure } from '@sallyport/model';
import type { MqttClient } from 'mqtt';
import { pause } from './abort.ts';
import { type Backoff, jitteredBackoff } from './backoff.ts';
import type { LinkOptions } from './link-options.ts';
import type { LinkProof } from './link-proof.ts';
import { applySettings, connectSettings } from './link-settings.ts';
import type { PacketBound } from './packet-bound.ts';
import type { ProofExchange } from './proof-exchange.ts';

/** Milliseconds after which a connection counts as good. */
const STEADY = 10_000;

export interface ReconnectionParts {
  readonly client: MqttClient;
  readonly options: LinkOptions;
  readonly proof: LinkProof;
  readonly exchange: ProofExchange;
  readonly bound: PacketBound;
  /** The session outlives its connections. */
  readonly kept: boolean;
  /** An attempt failed; another follows. */
  readonly report: (failure: Failure) => void;
  /** True if after this failure trying again would change nothing. */
  readonly isFinal: (failure: Failure) => boolean;
  /** No attempt follows. */
  readonly end: (failure: Failure) => void;
}

/** Connects again after each break: with a proof of that moment, after pauses that grow until a connection has held. */
export class Reconnection {
  readonly #parts: ReconnectionParts;
  readonly #backoff: Backoff;
  readonly #ending = new AbortController();
  #steady: ReturnType<typeof setTimeout> | undefined;
  /** The next break is our own doing. */
  #leaving = false;

  constructor(parts: ReconnectionParts) {
    this.#parts = parts;
    this.#backoff = jitteredBackoff(parts.options.backoff);
  }

  /** A connection has begun. */
  begun(): void {
    // Two MQTT 3.1.1 clients with one id are not told why they are cut off: pauses must go on growing between them.
    this.#steady = setTimeout(() => this.#backoff.reset(), STEADY);
  }

  /** The connection broke. */
  broken(): void {
    clearTimeout(this.#steady);
    void this.#comeBack();
  }

  /** The connection is left for a new one: that follows at once. */
  leaving(): void {
    this.#leaving = true;
  }

  /** Nothing is tried any more. */
  stop(): void {
    this.#ending.abort();
  }

  async #comeBack(): Promise<void> {
    const { signal } = this.#ending;
    const { client, proof, exchange, options, bound, kept, report, isFinal, end } = this.#parts;
    try {
      let wait = this.#leaving ? 0 : this.#backoff.next();
      this.#leaving = false;
      for (;;) {
        await pause(signal, wait);
        try {
          const begun = await proof.begin(signal);
          const settings = await connectSettings(begun, options, kept);
          signal.throwIfAborted();
          exchange.begin(begun.method);
          applySettings(client, {
            ...settings,
            // The first connection begins the session; the others go on with it.
            ...(kept ? { clean: false } : {}),
          });
          client.connect();
          bound.watch(client);
          return;
        } catch (failure) {
          signal.throwIfAborted();
          if (isFinal(failure as Failure)) return end(failure as Failure);
          report(failure as Failure);
          wait = this.#backoff.next();
        }
      }
    } catch {
      // Ended by the program, or for good.
    }
  }
}
