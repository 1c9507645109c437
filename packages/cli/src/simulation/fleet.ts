import { setMaxListeners } from 'node:events';
import { type IntervalHistogram, monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { Link, type LinkOptions, RefusedByServer, reasonName } from '@sallyport/device';
import { readings } from '@sallyport/device/simulator';
import { clientIdOf, Failure } from '@sallyport/model';

/** One device of a fleet. */
export interface FleetMember {
  readonly organisation: string;
  readonly type: string;
  readonly id: string;
  readonly token: string;
}

export interface FleetOptions {
  readonly server: Pick<LinkOptions, 'host' | 'port' | 'ca'>;
  readonly members: readonly FleetMember[];
  /** New connections per second. */
  readonly ramp: number;
  /** Milliseconds between two readings of a device. */
  readonly every: number;
  /** Milliseconds for which the fleet sends once all are there. */
  readonly duration: number;
  readonly stop: AbortSignal;
  readonly say: (text: string) => void;
}

/** How it went. Latencies in milliseconds: from the publish to its acknowledgement. */
export interface FleetSummary {
  readonly devices: number;
  readonly connected: number;
  readonly published: number;
  readonly notPublished: number;
  /** Acknowledged readings per second, while all that came in were sending. */
  readonly perSecond: number;
  /** Connections that broke, whether they came back or not. */
  readonly lost: number;
  readonly connectLatency: Percentiles;
  readonly publishLatency: Percentiles;
  /** By how much this program itself came late to its own work: latencies below that say nothing of the server. */
  readonly ownDelay: Percentiles;
  /** By what the server said. */
  readonly refusals: Readonly<Record<string, number>>;
  /** One ticket of each, where there was one. */
  readonly tickets: Readonly<Record<string, string>>;
}

export interface Percentiles {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

/** Latencies that are kept; of more, each stands for several. */
const MOST_SAMPLES = 100_000;
const PROGRESS_STEPS = 10;

/** Connects a fleet at a bounded rate, lets it send, and sums up. No device can end the run. */
export async function runFleet(options: FleetOptions): Promise<FleetSummary> {
  const { server, members, ramp, every, duration, stop, say } = options;
  // Each device waits for the same wish to stop.
  setMaxListeners(0, stop);
  const links: Link[] = [];
  const connects = new Samples();
  const publishes = new Samples();
  const refusals = new Map<string, number>();
  const tickets = new Map<string, string>();
  let published = 0;
  let notPublished = 0;
  let lost = 0;
  const refused = (error: unknown) => {
    const what = error instanceof RefusedByServer ? reasonName(error.reasonCode) : codeOf(error);
    refusals.set(what, (refusals.get(what) ?? 0) + 1);
    if (error instanceof RefusedByServer && error.ticket !== undefined) tickets.set(what, error.ticket);
  };
  const timers: ReturnType<typeof setInterval>[] = [];
  const delay = monitorEventLoopDelay({ resolution: 10 });
  delay.enable();

  const join = async (member: FleetMember) => {
    const began = performance.now();
    try {
      const { token, ...name } = member;
      const clientId = clientIdOf({ kind: 'device', ...name });
      const link = await Link.open(server, { clientId, username: 'use-token-auth', password: token });
      connects.add(performance.now() - began);
      links.push(link);
      link.on('problem', refused);
      link.on('offline', () => {
        lost++;
      });
      const measured = readings(Math.random);
      const send = async () => {
        const sentAt = performance.now();
        const payload = new TextEncoder().encode(JSON.stringify(measured.next().value));
        try {
          await link.publish('iot-2/evt/status/fmt/json', payload, 1);
          published++;
          publishes.add(performance.now() - sentAt);
        } catch (error) {
          notPublished++;
          refused(error);
        }
      };
      // Spread over the pause, or a fleet that came in a row would send in one.
      await pause(Math.random() * every, stop);
      if (stop.aborted) return;
      void send();
      timers.push(setInterval(() => void send(), every));
    } catch (error) {
      refused(error);
    }
  };

  const joining: Promise<void>[] = [];
  const step = Math.max(1, Math.ceil(members.length / PROGRESS_STEPS));
  for (const [index, member] of members.entries()) {
    if (stop.aborted) break;
    joining.push(join(member));
    if ((index + 1) % step === 0) say(`${index + 1} of ${members.length} asked to come in, ${links.length} are in`);
    await pause(1_000 / ramp, stop);
  }
  await Promise.race([Promise.all(joining), pause(every + 20_000, stop)]);
  say(`${links.length} of ${members.length} are in; sending for ${Math.round(duration / 1_000)} s`);
  const [began, before] = [performance.now(), published];
  await pause(duration, stop);
  const perSecond = Math.round(((published - before) * 1_000) / Math.max(1, performance.now() - began));
  delay.disable();
  for (const timer of timers) clearInterval(timer);
  const connected = links.length;
  await Promise.all(links.map((link) => link.close()));
  return {
    devices: members.length,
    connected,
    published,
    notPublished,
    perSecond,
    lost,
    connectLatency: connects.percentiles(),
    publishLatency: publishes.percentiles(),
    ownDelay: delayOf(delay),
    refusals: Object.fromEntries(refusals),
    tickets: Object.fromEntries(tickets),
  };
}

/** The histogram has the time between two looks; what is above their pause is delay. In nanoseconds. */
function delayOf(histogram: IntervalHistogram): Percentiles {
  const at = (percentile: number) => {
    const measured = percentile === 100 ? histogram.max : histogram.percentile(percentile);
    return Number(Math.max(0, measured / 1e6 - 10).toFixed(1));
  };
  return { p50: at(50), p90: at(90), p99: at(99), max: at(100) };
}

class Samples {
  readonly #values: number[] = [];
  #seen = 0;

  add(value: number): void {
    // Reservoir sampling: each of all values is kept with the same chance.
    this.#seen++;
    if (this.#values.length < MOST_SAMPLES) this.#values.push(value);
    else {
      const place = Math.floor(Math.random() * this.#seen);
      if (place < MOST_SAMPLES) this.#values[place] = value;
    }
  }

  percentiles(): Percentiles {
    const sorted = this.#values.sort((a, b) => a - b);
    const at = (share: number) =>
      Number((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(1));
    return { p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) };
  }
}

function codeOf(error: unknown): string {
  return error instanceof Failure ? error.code : 'something unexpected';
}

function pause(milliseconds: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      stop.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    if (stop.aborted) done();
    else stop.addEventListener('abort', done);
  });
}
