import { setTimeout as pause } from 'node:timers/promises';
import { Generator } from './generator/generator.ts';
import type { Target } from './generator/load-client.ts';
import type { Stretch } from './generator/measure.ts';
import type { Identity } from './identity.ts';
import type { BenchOptions } from './options.ts';
import type { RunningPeer } from './peers/peer.ts';
import { type Cell, failedCell, figureCell, type Run, rateCell } from './result.ts';
import { castOf, type MessageWorkload, messageWorkloads, type Transport } from './workloads.ts';

const LATENCY_RATE = 10_000;
/** Connections that are being made at the same time. */
const CONNECTORS = 32;

function shareOf<T>(items: readonly T[], part: number, parts: number): T[] {
  return items.filter((_, index) => index % parts === part);
}

function runOf(stretches: readonly Stretch[]): Run {
  const [first] = stretches;
  if (!first) throw new Error('no generator measured anything');
  const rate = stretches.reduce((sum, { count, seconds }) => sum + count / seconds, 0);
  // Every generator reads the same server.
  const serverCpu = first.serverCpu / first.seconds;
  const generatorCpu =
    stretches.reduce((sum, stretch) => sum + stretch.generatorCpu / stretch.seconds, 0) / stretches.length;
  return { rate, perCpuSecond: rate / Math.max(serverCpu, 0.001), serverCpu, generatorCpu };
}

/** Runs all workloads against all peers and answers a cell for each; peers take turns within a workload, run by run. */
export class Conductor {
  readonly #peers: readonly RunningPeer[];
  readonly #options: BenchOptions;
  readonly #generators: readonly Generator[];
  readonly #report: (cell: Cell) => void;
  readonly #say: (line: string) => void;
  readonly #endsAt: number;
  readonly cells: Cell[] = [];
  readonly skipped: string[] = [];

  constructor(
    peers: readonly RunningPeer[],
    options: BenchOptions,
    report: { cell(cell: Cell): void; line(line: string): void },
  ) {
    this.#peers = peers;
    this.#options = options;
    this.#generators = Array.from({ length: options.generators }, () => new Generator(options.generatorCores));
    this.#report = report.cell;
    this.#say = report.line;
    this.#endsAt = Date.now() + options.budget;
  }

  stop(): void {
    for (const generator of this.#generators) generator.stop();
  }

  async runAll(): Promise<void> {
    for (const workload of messageWorkloads(this.#options.quick)) await this.#messages(workload);
    await this.#connections('connections, plain', 'plain', false);
    await this.#connections('connections, TLS full handshake', 'TLS', false);
    await this.#connections('connections, TLS resumed', 'TLS', true);
    for (const transport of this.#options.quick ? (['TLS'] as const) : (['plain', 'TLS'] as const))
      await this.#latency(transport);
  }

  #wanted(name: string): boolean {
    if (!this.#options.only.test(name)) return false;
    if (Date.now() < this.#endsAt) return true;
    this.skipped.push(name);
    return false;
  }

  #add(cell: Cell): void {
    this.cells.push(cell);
    this.#report(cell);
  }

  /** Connects the clients of a workload at every peer; a peer where that fails is left out and gets failed cells. */
  async #muster(
    workload: Pick<MessageWorkload, 'shape' | 'transport' | 'durable'>,
    peers: readonly RunningPeer[],
  ): Promise<Map<RunningPeer, Generator[] | Error>> {
    const { shape, transport, durable = false } = workload;
    const ready = new Map<RunningPeer, Generator[] | Error>();
    // Only pairs fall apart into shares that need not know of each other.
    const generators = shape === 'pairs' ? [...this.#generators] : this.#generators.slice(0, 1);
    for (const peer of peers) {
      const { publishers, subscribers } = castOf(shape, peer.identities);
      const target = targetOf(peer, transport);
      try {
        await Promise.all(
          generators.map((generator, part) => {
            const share = (identities: readonly Identity[]) => shareOf(identities, part, generators.length);
            const muster = { shape, target, durable, publishers: share(publishers), subscribers: share(subscribers) };
            return generator.order('muster', { fleet: peer.name, muster });
          }),
        );
        ready.set(peer, generators);
      } catch (error) {
        ready.set(peer, asError(error));
      }
    }
    return ready;
  }

  async #dismiss(): Promise<void> {
    for (const peer of this.#peers) {
      await Promise.all(this.#generators.map((generator) => generator.order('dismiss', { fleet: peer.name })));
    }
    await pause(200);
  }

  async #messages(workload: MessageWorkload): Promise<void> {
    const variants = workload.variants.filter(({ name }) => this.#wanted(name));
    if (variants.length === 0) return;
    const peers = this.#peers.filter(({ durable }) => durable || !workload.durable);
    const ready = await this.#muster(workload, peers);
    const { warmup, duration } = this.#options;
    for (const { name, qos, window } of variants) {
      await this.#eachPeer(peers, name, 'messages/s', async (peer) => {
        const generators = ready.get(peer);
        if (generators instanceof Error) throw generators;
        const ask = { fleet: peer.name, serverPid: peer.pid, qos, window, warmup, duration };
        return runOf(await Promise.all((generators ?? []).map((generator) => generator.order('throughput', ask))));
      });
    }
    await this.#dismiss();
  }

  /** Runs peers in turn, run by run, so that a noisy minute hits all of them; then adds their cells. */
  async #eachPeer(
    peers: readonly RunningPeer[],
    name: string,
    unit: Cell['unit'],
    act: (peer: RunningPeer) => Promise<Run>,
    noteOf?: (peer: RunningPeer) => string,
  ): Promise<void> {
    this.#say(name);
    const runs = new Map<RunningPeer, Run[]>(peers.map((peer) => [peer, []]));
    const errors = new Map<RunningPeer, Error>();
    for (let turn = 0; turn < this.#options.runs; turn += 1) {
      for (const peer of peers) {
        if (errors.has(peer)) continue;
        try {
          runs.get(peer)?.push(await act(peer));
        } catch (error) {
          errors.set(peer, asError(error));
        }
      }
    }
    for (const peer of peers) {
      const error = errors.get(peer);
      this.#add(
        error
          ? failedCell(name, peer.name, unit, error.message)
          : rateCell(name, peer.name, unit, runs.get(peer) ?? [], noteOf?.(peer)),
      );
    }
  }

  async #connections(name: string, transport: Transport, resume: boolean): Promise<void> {
    if (!this.#wanted(name)) return;
    const { warmup, duration } = this.#options;
    const shares = new Map<RunningPeer, number>();
    await this.#eachPeer(
      this.#peers,
      name,
      'connections/s',
      async (peer) => {
        const identities = peer.identities.slice(0, CONNECTORS);
        const stretches = await Promise.all(
          this.#generators.map((generator, part) =>
            generator.order('connections', {
              identities: shareOf(identities, part, this.#generators.length),
              target: targetOf(peer, transport),
              serverPid: peer.pid,
              warmup,
              duration,
              resume,
            }),
          ),
        );
        const total = stretches.reduce((sum, stretch) => sum + stretch.total, 0);
        shares.set(peer, stretches.reduce((sum, stretch) => sum + stretch.resumed, 0) / Math.max(total, 1));
        return runOf(stretches);
      },
      (peer) => (resume ? `${((shares.get(peer) ?? 0) * 100).toFixed(0)} % resumed` : ''),
    );
  }

  async #latency(transport: Transport): Promise<void> {
    const name = `latency at ${LATENCY_RATE / 1000},000 messages/s, ${transport}`;
    if (!this.#wanted(name)) return;
    this.#say(name);
    const ready = await this.#muster({ shape: 'pairs', transport }, this.#peers);
    for (const peer of this.#peers) {
      const p50: number[] = [];
      const p99: number[] = [];
      let sent = Number.POSITIVE_INFINITY;
      try {
        const generators = ready.get(peer);
        if (generators instanceof Error) throw generators;
        const rate = LATENCY_RATE / (generators?.length ?? 1);
        for (let turn = 0; turn < this.#options.runs; turn += 1) {
          const ask = { fleet: peer.name, rate, duration: this.#options.duration };
          const stretches = await Promise.all((generators ?? []).map((generator) => generator.order('latency', ask)));
          sent = Math.min(
            sent,
            stretches.reduce((sum, stretch) => sum + stretch.rate, 0),
          );
          // The share of the slowest generator speaks for all.
          p50.push(Math.max(...stretches.map((stretch) => stretch.p50)));
          p99.push(Math.max(...stretches.map((stretch) => stretch.p99)));
        }
        // A generator that falls behind measures its own backlog.
        const note = sent < LATENCY_RATE * 0.95 ? `generator sent only ${Math.round(sent)}/s` : undefined;
        this.#add(figureCell(`${name}, p50`, peer.name, 'microseconds', p50, note));
        this.#add(figureCell(`${name}, p99`, peer.name, 'microseconds', p99, note));
      } catch (error) {
        this.#add(failedCell(`${name}, p50`, peer.name, 'microseconds', asError(error).message));
      }
    }
    await this.#dismiss();
  }
}

function targetOf(peer: RunningPeer, transport: Transport): Target {
  return transport === 'TLS' ? peer.tls : peer.plain;
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
