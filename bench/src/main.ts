import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { benchCodec } from './codec.ts';
import { Conductor } from './conductor.ts';
import { benchLists } from './lists.ts';
import { measureMemory } from './memory.ts';
import { type BenchOptions, readOptions, USAGE } from './options.ts';
import { startMosquitto } from './peers/mosquitto.ts';
import { startModule } from './peers/own-process.ts';
import type { PeerOptions, RunningPeer } from './peers/peer.ts';
import { startSallyport } from './peers/sallyport.ts';
import { progressLine, table } from './report.ts';
import type { Cell } from './result.ts';
import { benchRevoke } from './revoke.ts';
import { benchSecurity } from './security/security.ts';
import { populationFor } from './workloads.ts';

/** Certificates on the lists of the security workloads. */
const REVOKED = 200_000;
/** Clients that stay silent. */
const IDLE = { pub: 0, sub: 0, crowd: 2300 };
const RESULTS = fileURLToPath(new URL('../results/', import.meta.url));
const STARTERS: Readonly<Record<string, (options: PeerOptions) => Promise<RunningPeer>>> = {
  mosquitto: startMosquitto,
  aedes: (options) => startModule('aedes', 'aedes-process.js', options),
  'node-floor': (options) => startModule('node-floor', 'node-floor-process.js', options),
  sallyport: startSallyport,
  'sallyport-10000': (options) => startSallyport({ ...options, statements: 10_000 }),
};

function keep(name: string, result: unknown): string {
  mkdirSync(RESULTS, { recursive: true });
  const file = join(RESULTS, `${new Date().toISOString().replaceAll(':', '-')}-${name}.json`);
  writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
  return file;
}

function machine(): Record<string, unknown> {
  return {
    processor: cpus()[0]?.model,
    cores: availableParallelism(),
    kernel: release(),
    node: process.version,
    openssl: process.versions.openssl,
    loadAverageBefore: loadavg()[0],
  };
}

async function codec(): Promise<void> {
  const result = await benchCodec();
  console.table(result.rows);
  console.log(`Kept in ${keep('codec', { machine: machine(), ...result })}`);
}

function lists(): boolean {
  const result = benchLists(100_000);
  console.table(result.rows.map(({ nanoseconds, ...row }) => ({ ...row, nanoseconds: Math.round(nanoseconds) })));
  console.log(
    `${result.entries} entries, ready after ${Math.round(result.ready)} ms. Kept in ${keep('lists', { machine: machine(), ...result })}`,
  );
  return result.rows.every(({ nanoseconds }) => nanoseconds < 2000);
}

async function revoke(options: BenchOptions): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'));
  const began = machine();
  try {
    const result = await benchRevoke({
      folder,
      sessions: options.quick ? 1000 : 10_000,
      revocations: options.quick ? 50 : 500,
      cores: options.serverCores,
      workers: options.workers,
      say: (line) => console.log(line),
    });
    const shown = (milliseconds: number) => `${milliseconds.toFixed(1)} ms`;
    console.log(
      `Revoke to close with ${result.sessions} sessions, ${result.revocations} times: p50 ${shown(result.p50)}, p99 ${shown(result.p99)}, ` +
        `worst ${shown(result.worst)}; answered p50 ${shown(result.answered.p50)}, p99 ${shown(result.answered.p99)}; ` +
        `others ended: ${result.innocent}.`,
    );
    console.log(`Kept in ${keep('revoke', { machine: began, ...result })}`);
    return result.innocent === 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function security(options: BenchOptions): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'));
  const began = machine();
  try {
    const { quick, runs, warmup, duration, serverCores: cores } = options;
    const say = (line: string) => console.log(line);
    const counts = { runs: quick ? 1 : Math.min(runs, 5), revoked: REVOKED, cores };
    // A handshake takes milliseconds on either side: short stretches would count few.
    const times = { warmup: Math.max(warmup, 1000), duration: Math.max(duration, 2000) };
    const result = await benchSecurity({ folder, say, ...counts, ...times });
    console.table(result.rows);
    for (const line of result.remarks) console.log(line);
    console.log(`Kept in ${keep('security', { machine: began, ...result })}`);
    return true;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function startPeers(options: BenchOptions, folder: string): Promise<RunningPeer[]> {
  const running: RunningPeer[] = [];
  try {
    for (const name of options.peers) {
      const start = starterOf(name);
      console.log(`Starting ${name}…`);
      const own = join(folder, name);
      mkdirSync(own);
      const { serverCores: cores, workers } = options;
      running.push(await start({ folder: own, population: populationFor(options.quick), cores, workers }));
    }
    return running;
  } catch (error) {
    await Promise.all(running.map((peer) => peer.stop()));
    throw error;
  }
}

/** Each figure of memory is that of a fresh server. */
async function memory(
  options: BenchOptions,
  folder: string,
  report: { cell(cell: Cell): void; line(line: string): void },
): Promise<Cell[]> {
  const cells: Cell[] = [];
  for (const transport of ['plain', 'TLS'] as const) {
    const title = `memory of an idle connection, ${transport}`;
    if (!options.only.test(title)) continue;
    report.line(title);
    for (const name of options.peers) {
      const own = mkdtempSync(join(folder, `${name}-`));
      const peer = await starterOf(name)({
        folder: own,
        population: IDLE,
        cores: options.serverCores,
        workers: options.workers,
      });
      const cell = await measureMemory(peer, transport);
      await peer.stop();
      report.cell(cell);
      cells.push(cell);
    }
  }
  return cells;
}

function starterOf(name: string): (options: PeerOptions) => Promise<RunningPeer> {
  const start = STARTERS[name];
  if (!start) throw new Error(`there is no peer "${name}"; there are ${Object.keys(STARTERS).join(', ')}`);
  return start;
}

async function brokers(options: BenchOptions): Promise<boolean> {
  const load = loadavg()[0] ?? 0;
  if (load > 0.5) console.log(`The machine is not quiet (load ${load.toFixed(1)}): read only large differences.`);
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'));
  const began = machine();
  let peers: RunningPeer[] = [];
  let conductor: Conductor | undefined;
  try {
    peers = await startPeers(options, folder);
    const report = {
      cell: (cell: Parameters<typeof progressLine>[0]) => console.log(progressLine(cell)),
      line: (line: string) => console.log(line),
    };
    conductor = new Conductor(peers, options, report);
    await conductor.runAll();
    const { skipped } = conductor;
    const cells = [...conductor.cells, ...(await memory(options, folder, report))];
    const versions = Object.fromEntries(peers.map(({ name, version }) => [name, version]));
    console.log(`\n${table(cells)}\n`);
    console.log(
      `Peers: ${Object.entries(versions)
        .map((entry) => entry.join(' '))
        .join(
          ', ',
        )}. Servers on cores ${options.serverCores ?? 'any'}, sallyport with ${options.workers} worker(s), generator on ${options.generatorCores ?? 'any'}.`,
    );
    console.log('The ratio compares what a second of server CPU did; bench/README.md says how to read this.');
    if (skipped.length > 0) console.log(`Not run, the time was up: ${skipped.join('; ')}`);
    console.log(
      `Kept in ${keep(options.quick ? 'quick' : 'full', { machine: began, options, versions, cells, skipped })}`,
    );
    return cells.every((cell) => cell.error === undefined);
  } finally {
    conductor?.stop();
    await Promise.all(peers.map((peer) => peer.stop()));
    rmSync(folder, { recursive: true, force: true });
  }
}

async function main([first, ...rest]: readonly string[]): Promise<boolean> {
  if (first === '--help' || first === '-h') {
    console.log(USAGE);
    return true;
  }
  if (first === 'codec') {
    await codec();
    return true;
  }
  if (first === 'lists') return lists();
  if (first === 'revoke') return revoke(readOptions(rest));
  if (first === 'security') return security(readOptions(rest));
  return brokers(readOptions(first === undefined ? [] : [first, ...rest]));
}

// Whatever a failed start has left open must not keep the bench from ending.
try {
  process.exit((await main(process.argv.slice(2))) ? 0 : 1);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(2);
}
