import { Failure, type SimulatorUnlock, type UnlockStatus } from '@sallyport/model';

const SECOND = 1000;

const SAID: Readonly<Record<UnlockStatus['status'], string>> = {
  sent: 'A code went to the owner of this device.',
  undelivered: 'No way to the owner took the code; it is asked for again soon.',
  wrong: 'That was not the code.',
  expired: 'The code has ended; a new one is asked for.',
  'no-code': 'No code was asked for; one is now.',
  wait: 'Too many codes or wishes: nothing is looked at for a while.',
  failed: 'Every try is used up.',
  unlocked: 'The code was right: the session has all its rights.',
};

/** Where the person on a page enters the one-time code that the device is asked for. */
export class UnlockPrompt {
  #enter: ((code: string | undefined) => void) | undefined;
  #sent: UnlockStatus | undefined;

  /** Waits for what is entered on the page. */
  readonly ask = (status: UnlockStatus): Promise<string | undefined> => {
    if (status.status === 'sent') this.#sent = status;
    return new Promise((resolve) => {
      this.#enter = resolve;
    });
  };

  /** @throws Failure `invalid_request` if nobody asked for a code */
  enter(code: string): void {
    const enter = this.#enter;
    if (enter === undefined) throw new Failure('invalid_request', 'Nobody asks for a code now.');
    this.#enter = undefined;
    enter(code);
  }

  /** Nobody will enter anything: the device is switched off. */
  giveUp(): void {
    this.#enter?.(undefined);
    this.#enter = undefined;
    this.#sent = undefined;
  }

  /** What the page shows of a status that was told at this moment. */
  show(status: UnlockStatus & { readonly at: string }): SimulatorUnlock {
    const { status: name, by, attemptsLeft } = status;
    const sent = this.#sent;
    const way = name === 'sent' && by !== undefined && by.length > 0 ? ` Way: ${by.join(', ')}.` : '';
    const until =
      name === 'sent' && sent?.expiresIn !== undefined ? Date.parse(status.at) + sent.expiresIn * SECOND : undefined;
    return {
      state:
        name === 'unlocked' ? 'open' : name === 'failed' ? 'failed' : this.#enter === undefined ? 'locked' : 'waiting',
      text: `${SAID[name]}${way}`,
      ...(attemptsLeft === undefined ? {} : { attemptsLeft }),
      ...(until === undefined ? {} : { until }),
    };
  }
}
