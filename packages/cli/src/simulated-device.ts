import type { Command, Device } from '@sallyport/device';
import { type Reading, readings } from '@sallyport/device/simulator';
import { Failure } from '@sallyport/model';

export interface SimulationOptions {
  readonly device: Pick<Device, 'publishEvent' | 'onCommand' | 'closed'>;
  /** Milliseconds between two readings. */
  readonly every: number;
  /** Ends after so many readings; without it when `stop` is aborted. */
  readonly count?: number;
  readonly stop: AbortSignal;
  /** Uniform in [0, 1). */
  readonly random?: () => number;
  readonly onReading?: (reading: Reading) => void;
  readonly onCommand?: (command: Command) => void;
  readonly onProblem?: (failure: Failure) => void;
}

/**
 * Sends a reading as the event `status` again and again, and reports the commands that come.
 *
 * @throws Failure the reason for which the connection ended for good
 */
export async function simulate(options: SimulationOptions): Promise<void> {
  const { device, every, count = Number.POSITIVE_INFINITY, stop, random = Math.random } = options;
  let ended: Failure | undefined;
  const over = device.closed.then((failure) => {
    ended = failure ?? new Failure('connection_lost', 'The connection was closed.');
  });
  await device.onCommand('+', (command) => options.onCommand?.(command));
  const measured = readings(random);
  for (let sent = 0; sent < count && !stop.aborted && !ended; sent++) {
    const reading = measured.next().value;
    try {
      await device.publishEvent('status', reading);
      options.onReading?.(reading);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      // A single lost reading is not the end: the connection mends itself or says that it is over.
      options.onProblem?.(error);
    }
    if (sent + 1 < count) await pause(every, stop, over);
  }
  if (ended && !stop.aborted) throw ended;
}

async function pause(duration: number, stop: AbortSignal, over: Promise<void>): Promise<void> {
  let wake: () => void = () => {};
  const slept = new Promise<void>((resolve) => {
    wake = resolve;
  });
  const timer = setTimeout(wake, duration);
  stop.addEventListener('abort', wake, { once: true });
  try {
    await Promise.race([slept, over]);
  } finally {
    clearTimeout(timer);
    stop.removeEventListener('abort', wake);
  }
}
