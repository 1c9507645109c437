import { Failure } from '@sallyport/model';
import type { Link } from './link.ts';
import { RefusedByServer } from './link-failure.ts';
import type { Outbox } from './outbox.ts';

const RETRY = 1_000;

/**
 * Sends what waits in an outbox, one event after the other, until the answer is called. An event that the server refuses is
 * taken off and reported: it would be refused for ever, and stop those behind it.
 */
export function drain(outbox: Outbox, link: Pick<Link, 'publish' | 'report'>): () => void {
  let ended = false;
  let running = false;

  const run = async (): Promise<void> => {
    if (running) return;
    running = true;
    try {
      for (let event = outbox.first; event !== undefined && !ended; event = outbox.first) {
        try {
          await link.publish(event.topic, event.payload, 1);
        } catch (failure) {
          if (!(failure instanceof RefusedByServer)) {
            // The connection has ended for good, or too much is under way: the event stays where it is.
            await new Promise((resolve) => setTimeout(resolve, RETRY));
            continue;
          }
          link.report(failure);
        }
        await outbox.shift();
      }
    } catch (cause) {
      link.report(
        cause instanceof Failure ? cause : new Failure('internal', 'The outbox could not be emptied.', { cause }),
      );
    } finally {
      running = false;
    }
  };
  const end = outbox.onQueued(() => void run());
  void run();
  return () => {
    ended = true;
    end();
  };
}
