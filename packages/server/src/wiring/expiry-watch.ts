import { type Ending, EXPIRY_DAYS, ExpiryWatch, stepsOf } from '../authority/expiry-watch.ts';
import type { ServerEvent } from '../events/events.ts';
import type { Installation } from '../installation.ts';

const HOUR = 60 * 60_000;
const DAY = 24 * HOUR;

/** Looks at once, and every hour from then on, at everything in the way of certificates that this server knows to end. */
export function watchExpiry({
  registry,
  authority,
  emit,
  now,
}: Pick<Installation, 'registry' | 'authority'> & {
  readonly emit: (event: ServerEvent) => void;
  readonly now: () => number;
}): { readonly watch: ExpiryWatch; close(): void } {
  const watch = new ExpiryWatch({
    emit,
    now,
    async endings(): Promise<readonly Ending[]> {
      const at = now();
      const single = (what: Ending['what'], name: string, notAfter: number, organisation?: string): Ending => ({
        ...{ what, name, notAfter, organisation },
        within: stepsOf(notAfter, at),
      });
      const { facts: server } = authority.ownServerCertificate();
      const own = [
        single('server certificate', server.subject, server.notAfter),
        ...authority.serverPairs
          .all()
          .map(({ facts, organisation }) =>
            single('imported server certificate', facts.subject, facts.notAfter, organisation),
          ),
        single('authority', authority.root.subject, authority.root.notAfter),
        ...authority
          .issuers()
          .map(({ certificate, organisation }) =>
            single('authority', certificate.subject, certificate.notAfter, organisation),
          ),
      ];
      const imported = await registry.authorities.endingBefore(at + EXPIRY_DAYS[0] * DAY);
      const clients = await registry.certificates.endingWithin(EXPIRY_DAYS);
      return [
        ...own.filter(({ within }) => within[30] > 0),
        ...imported.map(({ subject, notAfter, organisation }) =>
          single('imported authority', subject, notAfter, organisation),
        ),
        ...clients.map(({ organisation, within, notAfter }) => ({
          ...{ what: 'client certificates' as const, name: `client certificates of ${organisation}` },
          ...{ organisation, notAfter, within: { 30: within[0] ?? 0, 7: within[1] ?? 0, 1: within[2] ?? 0 } },
        })),
      ];
    },
  });
  const look = (): void => {
    watch
      .look()
      .catch((problem: unknown) => emit({ type: 'defect', where: 'what ends soon', problem: String(problem) }));
  };
  look();
  const timer = setInterval(look, HOUR);
  timer.unref();
  return { watch, close: () => clearInterval(timer) };
}
