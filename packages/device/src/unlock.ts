import { Failure, UNLOCK_COMMAND, UNLOCK_REQUEST, UNLOCK_RESPONSE, type UnlockStatus } from '@sallyport/model';
import { pause } from './abort.ts';
import type { Admission, LinkOptions, LinkPort } from './link-options.ts';

/** The server wants a one-time code: how it stands with it. */
export interface UnlockAsked {
  /** Codes that may still be given in this connection. */
  readonly attemptsLeft: number;
  /** How many digits the code has. */
  readonly digits?: number;
  /** Seconds that the code is good. */
  readonly expiresIn?: number;
  /** Ways by which the code went to the owner. */
  readonly by?: readonly string[];
  /** What was wrong with the code before. */
  readonly problem?: 'wrong';
  /** Aborted when the connection breaks: nobody need enter anything any more. */
  readonly signal: AbortSignal;
}

/** Gets the code from the person at the device. Without one the device gives up. */
export type OnUnlockRequired = (asked: UnlockAsked) => string | undefined | Promise<string | undefined>;

/**
 * The beginning of every connection of a client that can ask for a code; `own` as for {@link unlock}.
 *
 * @throws Failure `invalid_request` for MQTT 3.1.1, where a message that comes before the code ends the connection
 */
export function admission(
  own: string,
  { onUnlockRequired, protocolVersion }: LinkOptions & { readonly onUnlockRequired?: OnUnlockRequired },
): Admission | undefined {
  if (onUnlockRequired === undefined) return undefined;
  if (protocolVersion === 4) {
    throw new Failure('invalid_request', 'One-time codes need MQTT 5 in this library.', {
      cure: 'Leave protocolVersion out.',
    });
  }
  return (port, signal) => unlock(port, own, onUnlockRequired, signal);
}

/** Seconds until a code is asked for again when no way to the owner took the last one. */
const ASK_AGAIN = 30;

/**
 * Gives the one-time code that the server may demand, before anything else is done in a connection. `own` is what comes before `evt` and
 * `cmd` in the topics of the client: `iot-2` for a device, `iot-2/type/TYPE/id/ID` for a gateway.
 *
 * @throws Failure `unlock_failed` if nobody gave a code, or none that was right
 */
async function unlock(
  port: LinkPort,
  own: string,
  onUnlockRequired: OnUnlockRequired,
  signal: AbortSignal,
): Promise<void> {
  const told = new Told(signal);
  await port.subscribe(`${own}/cmd/${UNLOCK_COMMAND}/fmt/json`, 0, (_topic, bytes) => told.add(bytes));
  const say = (event: string, content: object) =>
    port.publish(`${own}/evt/${event}/fmt/json`, new TextEncoder().encode(JSON.stringify(content)), 1);

  await say(UNLOCK_REQUEST, {});
  let sent: UnlockStatus | undefined;
  for (;;) {
    const status = await told.next();
    const { attemptsLeft = 0 } = status;
    switch (status.status) {
      case 'unlocked':
        return;
      case 'sent':
      case 'wrong': {
        if (status.status === 'sent') sent = status;
        const { digits, expiresIn, by } = sent ?? {};
        const code = await onUnlockRequired({
          attemptsLeft,
          signal,
          ...(digits !== undefined && { digits }),
          ...(expiresIn !== undefined && { expiresIn }),
          ...(by !== undefined && { by }),
          ...(status.status === 'wrong' && { problem: 'wrong' as const }),
        });
        if (code === undefined) throw failed('No one-time code was given.');
        signal.throwIfAborted();
        await say(UNLOCK_RESPONSE, { code });
        break;
      }
      case 'expired':
      case 'no-code':
        await say(UNLOCK_REQUEST, {});
        break;
      case 'undelivered':
      case 'wait':
        await pause(signal, (status.retryAfter ?? ASK_AGAIN) * 1000);
        await say(UNLOCK_REQUEST, {});
        break;
      case 'failed':
        throw failed('Every try to give the one-time code was used up.');
    }
  }
}

function failed(message: string): Failure {
  return new Failure('unlock_failed', message);
}

/** What the server has told, in its order, for who waits for it. */
class Told {
  readonly #statuses: UnlockStatus[] = [];
  #wake: () => void = () => {};
  readonly #signal: AbortSignal;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', () => this.#wake(), { once: true });
  }

  add(bytes: Uint8Array): void {
    this.#statuses.push(JSON.parse(new TextDecoder().decode(bytes)) as UnlockStatus);
    this.#wake();
  }

  async next(): Promise<UnlockStatus> {
    for (;;) {
      this.#signal.throwIfAborted();
      const status = this.#statuses.shift();
      if (status !== undefined) return status;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
