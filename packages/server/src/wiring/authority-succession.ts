import type { ServerEvent } from '../events/events.ts';
import type { Installation } from '../installation.ts';

const DAY = 24 * 60 * 60_000;
const TOLD_AGAIN = 7 * DAY;

/** Looks at once, and every day from then on, for authorities of this server that near their end; makes their successors and tells of it. */
export function followSuccession({
  authority,
  emit,
  succeeded,
  now,
}: Pick<Installation, 'authority'> & {
  readonly emit: (event: ServerEvent) => void;
  /** The names of the authorities have changed. */
  readonly succeeded: () => void;
  readonly now: () => number;
}): { look(): Promise<void>; close(): Promise<void> } {
  const told = new Map<string, number>();

  async function look(): Promise<void> {
    let made = 0;
    for (const step of await authority.succeedEnding()) {
      const whose = step.organisation === undefined ? {} : { organisation: step.organisation };
      if (step.outcome === 'succeeded') {
        made += 1;
        const { subject, fingerprintSha256: fingerprint, notAfter } = step.now;
        const before = step.before.fingerprintSha256;
        emit({ type: 'authority.succeeded', ...whose, subject, fingerprint, before, notAfter });
        continue;
      }
      const { subject, fingerprintSha256, notAfter } = step.before;
      const last = told.get(fingerprintSha256);
      if (last !== undefined && now() - last < TOLD_AGAIN) continue;
      told.set(fingerprintSha256, now());
      emit({ type: 'authority.ending', ...whose, subject, why: step.why, notAfter });
    }
    if (made > 0) succeeded();
  }

  let work: Promise<void> = Promise.resolve();
  const inTurn = (): Promise<void> => {
    work = work.then(look).catch((problem: unknown) => {
      emit({ type: 'defect', where: 'successors of authorities', problem: String(problem) });
    });
    return work;
  };
  void inTurn();
  const timer = setInterval(() => void inTurn(), DAY);
  timer.unref();
  return {
    look: inTurn,
    close() {
      clearInterval(timer);
      return work;
    },
  };
}
