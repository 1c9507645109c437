import { setTimeout as pause } from 'node:timers/promises';
import { cpuSeconds } from '../cpu-time.ts';

/** What one generator process saw in one measured stretch. */
export interface Stretch {
  readonly seconds: number;
  /** Deliveries or connections within the stretch. */
  readonly count: number;
  /** CPU seconds of the server, its children included. */
  readonly serverCpu: number;
  /** CPU seconds of this generator process. */
  readonly generatorCpu: number;
}

/**
 * Lets the work run warm, then counts over `duration` milliseconds. CPU time is read at the same two moments as the count,
 * or a slow start of either side would be booked on the other.
 */
export async function measure(
  serverPid: number,
  count: () => number,
  warmup: number,
  duration: number,
): Promise<Stretch> {
  await pause(warmup);
  const startedAt = performance.now();
  const countBefore = count();
  const serverBefore = cpuSeconds(serverPid);
  const ownBefore = process.cpuUsage();
  await pause(duration);
  const seconds = (performance.now() - startedAt) / 1000;
  const counted = count() - countBefore;
  const serverCpu = cpuSeconds(serverPid) - serverBefore;
  const own = process.cpuUsage(ownBefore);
  return { seconds, count: counted, serverCpu, generatorCpu: (own.user + own.system) / 1e6 };
}
