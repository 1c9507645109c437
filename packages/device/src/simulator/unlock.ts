import { Failure, UNLOCK_COMMAND, UNLOCK_REQUEST, UNLOCK_RESPONSE, type UnlockStatus } from '@sallyport/model';
import type { Link } from '../link.ts';

export interface UnlockOptions {
  /** Told each time how it stands. */
  readonly onStatus: (status: UnlockStatus) => void;
  /** The code that somebody at the device enters; undefined if nobody does. */
  readonly enterCode: (status: UnlockStatus) => Promise<string | undefined>;
}

/** Seconds before a code is asked for again, where the server did not say. */
const ASK_AGAIN = 10;

/**
 * Asks for a one-time code, gives what is entered, and resolves when the session has all its rights (docs/guide/one-time-code.md).
 *
 * @throws Failure `connection_refused` if every try is used up, or nobody enters a code
 */
export async function unlock(
  link: Pick<Link, 'publish' | 'subscribe' | 'closed'>,
  options: UnlockOptions,
): Promise<void> {
  const come: UnlockStatus[] = [];
  let wake = () => {};
  await link.subscribe(`iot-2/cmd/${UNLOCK_COMMAND}/fmt/json`, 1, (_topic, payload) => {
    come.push(JSON.parse(new TextDecoder().decode(payload)) as UnlockStatus);
    wake();
  });
  const over = link.closed.then((failure): 'over' => {
    if (failure) throw failure;
    return 'over';
  });
  over.catch(() => {});
  const next = async (): Promise<UnlockStatus> => {
    while (come.length === 0) {
      const heard = new Promise<'heard'>((resolve) => {
        wake = () => resolve('heard');
      });
      if ((await Promise.race([heard, over])) === 'over')
        throw gaveUp('The connection was closed before the code was given.');
    }
    return come.shift() as UnlockStatus;
  };
  const say = (name: string, body: object) =>
    link.publish(`iot-2/evt/${name}/fmt/json`, new TextEncoder().encode(JSON.stringify(body)), 1);

  await say(UNLOCK_REQUEST, {});
  for (;;) {
    const status = await next();
    options.onStatus(status);
    switch (status.status) {
      case 'unlocked':
        return;
      case 'failed':
        throw gaveUp('Every try to give the one-time code is used up.');
      case 'sent':
      case 'wrong': {
        const code = await options.enterCode(status);
        if (code === undefined) throw gaveUp('Nobody entered the one-time code.');
        await say(UNLOCK_RESPONSE, { code });
        break;
      }
      case 'expired':
      case 'no-code':
        await say(UNLOCK_REQUEST, {});
        break;
      case 'undelivered':
      case 'wait':
        await new Promise((resolve) => setTimeout(resolve, (status.retryAfter ?? ASK_AGAIN) * 1_000));
        await say(UNLOCK_REQUEST, {});
    }
  }
}

function gaveUp(message: string): Failure {
  return new Failure('connection_refused', message, {
    cure: 'Connect again and enter the code that the owner of the device got; `sallyport unlock list` shows who waits.',
  });
}
