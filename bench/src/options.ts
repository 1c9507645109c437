import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';

/** How the bench is run; times in milliseconds. */
export interface BenchOptions {
  readonly quick: boolean;
  readonly runs: number;
  readonly warmup: number;
  readonly duration: number;
  /** No new workload begins after this time. */
  readonly budget: number;
  readonly peers: readonly string[];
  /** Only workloads whose name it matches. */
  readonly only: RegExp;
  readonly serverCores: string | undefined;
  readonly generatorCores: string | undefined;
  /** Worker processes of sallyport; the other peers have one process each. */
  readonly workers: number;
  readonly generators: number;
}

export const USAGE = `npm run bench -- [codec | lists | revoke | security] [options]

  codec                 only the packet codec, beside mqtt-packet
  lists                 only the check of an address against a list of 100,000 entries; fails above 2 µs
  revoke                only the time from revoking a credential to the end of its session (10,000 sessions; quick: 1000)
  security              only handshakes, revocation lists and enrolments, beside mosquitto, with none and 200,000 revoked
  --quick               one short run of each workload over TLS, under two minutes
  --runs N              runs per workload; medians are shown (5; quick: 1)
  --seconds N           measured stretch of a run (2; quick: 0.7)
  --minutes N           begin no new workload after this time (40; quick: 2)
  --peers LIST          mosquitto,aedes,sallyport; also node-floor, sallyport-10000 (policy statements)
  --only PATTERN        workloads whose name matches, e.g. 'fan-in.*QoS 1'
  --server-cores LIST   cores for the servers (0)
  --generator-cores LIST  cores for the load generator (all others)
  --workers N           worker processes of sallyport, on as many cores (1)
  --generators N        generator processes (one per core of theirs, at most 3)
`;

/** Reads the command line; throws an Error with a readable message for what is not understood. */
export function readOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      runs: { type: 'string' },
      seconds: { type: 'string' },
      minutes: { type: 'string' },
      peers: { type: 'string', default: 'mosquitto,aedes,sallyport' },
      only: { type: 'string', default: '' },
      'server-cores': { type: 'string' },
      'generator-cores': { type: 'string' },
      generators: { type: 'string' },
      workers: { type: 'string' },
    },
  });
  const { quick } = values;
  const cores = availableParallelism();
  const workers = positive('workers', values.workers, 1);
  const spare = cores > workers;
  return {
    quick,
    runs: positive('runs', values.runs, quick ? 1 : 5),
    warmup: quick ? 300 : 500,
    duration: positive('seconds', values.seconds, quick ? 0.7 : 2) * 1000,
    budget: positive('minutes', values.minutes, quick ? 1.5 : 40) * 60_000,
    peers: values.peers.split(','),
    only: new RegExp(values.only, 'i'),
    serverCores: values['server-cores'] ?? (spare ? range(0, workers - 1) : undefined),
    generatorCores: values['generator-cores'] ?? (spare ? range(workers, cores - 1) : undefined),
    generators: positive('generators', values.generators, Math.min(3, Math.max(1, cores - workers))),
    workers,
  };
}

/** As taskset takes them. */
function range(first: number, last: number): string {
  return first === last ? String(first) : `${first}-${last}`;
}

function positive(name: string, text: string | undefined, standard: number): number {
  const value = text === undefined ? standard : Number(text);
  if (!(value > 0)) throw new Error(`--${name} must be a number above 0, not "${text}"`);
  return value;
}
