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
 * The beginning of every connection of a client that can ask for a code; `own` as for {@link giveCode}.
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
  return (port, signal) => giveCode({ port, own, signal, enterCode: asker(onUnlockRequired, signal) });
}

/** Seconds until a code is asked for again when no way to the owner took the last one. */
const ASK_AGAIN = 30;

export interface CodeDialogue {
  readonly port: LinkPort;
  /** What comes before `evt` and `cmd` in the topics of the client: `iot-2` for a device, `iot-2/type/TYPE/id/ID` for a gateway. */
  readonly own: string;
  /** The code that somebody at the device enters; undefined if nobody does. */
  readonly enterCode: (status: UnlockStatus) => string | undefined | Promise<string | undefined>;
  /** Told each time how it stands. */
  readonly onStatus?: (status: UnlockStatus) => void;
  /** Aborted when the connection breaks. */
  readonly signal: AbortSignal;
}

/**
 * Asks for a one-time code, gives what is entered, and resolves when the session has all its rights (docs/guide/one-time-code.md).
 *
 * @throws Failure `unlock_failed` if nobody gave a code, or none that was right; else what the signal was aborted with
 */
export async function giveCode({ port, own, enterCode, onStatus, signal }: CodeDialogue): Promise<void> {
  const told = new Told(signal);
  await port.subscribe(`${own}/cmd/${UNLOCK_COMMAND}/fmt/json`, 0, (_topic, bytes) => told.add(bytes));
  const say = (event: string, content: object) =>
    port.publish(`${own}/evt/${event}/fmt/json`, new TextEncoder().encode(JSON.stringify(content)), 1);

  await say(UNLOCK_REQUEST, {});
  for (;;) {
    const status = await told.next();
    onStatus?.(status);
    switch (status.status) {
      case 'unlocked':
        return;
      case 'sent':
      case 'wrong': {
        const code = await enterCode(status);
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

/** Asks the program, with what was told of the code when it was sent. */
function asker(onUnlockRequired: OnUnlockRequired, signal: AbortSignal): CodeDialogue['enterCode'] {
  let sent: UnlockStatus | undefined;
  return (status) => {
    if (status.status === 'sent') sent = status;
    const { digits, expiresIn, by } = sent ?? {};
    return onUnlockRequired({
      attemptsLeft: status.attemptsLeft ?? 0,
      signal,
      ...(digits !== undefined && { digits }),
      ...(expiresIn !== undefined && { expiresIn }),
      ...(by !== undefined && { by }),
      ...(status.status === 'wrong' && { problem: 'wrong' as const }),
    });
  };
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
