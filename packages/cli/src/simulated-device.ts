import type { Command, Device } from '@sallyport/device';
import { Failure } from '@sallyport/model';

/** What a simulated device measures. */
export interface Reading {
  /** Metres per second squared. */
  readonly acceleration: number;
  readonly motion: 'still' | 'moving';
  /** Degrees. */
  readonly position: { readonly latitude: number; readonly longitude: number };
}

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
  let position = { latitude: 48.137, longitude: 11.575 };
  for (let sent = 0; sent < count && !stop.aborted && !ended; sent++) {
    const moving = random() < 0.5;
    if (moving) position = wander(position, random);
    const reading: Reading = {
      acceleration: Number((moving ? random() * 4 : random() * 0.1).toFixed(2)),
      motion: moving ? 'moving' : 'still',
      position,
    };
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

function wander(position: Reading['position'], random: () => number): Reading['position'] {
  const step = () => (random() - 0.5) / 1_000;
  return {
    latitude: Number((position.latitude + step()).toFixed(5)),
    longitude: Number((position.longitude + step()).toFixed(5)),
  };
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
