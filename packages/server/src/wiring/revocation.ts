import { join } from 'node:path';
import type { CertificateStatus } from '@sallyport/trust';
import { OcspResponder } from '../authority/ocsp-responder.ts';
import { RevocationLists } from '../authority/revocation-lists.ts';
import { rootList } from '../authority/root-list.ts';
import type { Configuration } from '../config/schema.ts';
import { AttemptBound } from '../http/attempt-bound.ts';
import { type AnswerPublished, publishedObjects } from '../http/published-objects.ts';
import type { Installation } from '../installation.ts';
import type { RegistryChange } from '../registry/records.ts';

export interface RevocationOptions extends Pick<Installation, 'registry' | 'authority' | 'directory'> {
  readonly configuration: Configuration;
  readonly onDefect: (where: string, problem: unknown) => void;
  readonly now: () => number;
}

/** What this server publishes of its own certificates. */
export interface Publication {
  readonly answer: AnswerPublished;
  /** Told of every change of the registry. */
  follow(change: RegistryChange): void;
  close(): Promise<void>;
}

const DAY = 24 * 60 * 60_000;
/** In the folder of the key material. */
const ROOT_LIST_FILE = 'root.crl';
const ENDS_CERTIFICATES: ReadonlySet<RegistryChange['change']> = new Set(['created', 'revoked', 'removed']);

/** Revocation lists and OCSP for the certificates of this server, from what the registry says at this moment. */
export function publication({
  registry,
  authority,
  directory,
  configuration,
  onDefect,
  now,
}: RevocationOptions): Publication {
  const issuers = () => authority.issuers();
  const lists = new RevocationLists({
    revoked: (issuerNameHash) => registry.revoked.portions(issuerNameHash),
    lifetime: configuration.revocation.listLifetime,
    now,
  });
  const responder = new OcspResponder({
    issuers,
    now,
    async statusOf(name): Promise<CertificateStatus> {
      const revokedAt = await registry.revoked.find(name);
      if (revokedAt !== undefined) return { status: 'revoked', revokedAt };
      const issued = (await registry.certificates.findBySerial(name)).some(({ kind }) => kind === 'issued');
      return { status: issued ? 'good' : 'unknown' };
    },
  });
  const ofRoot = rootList({
    file: join(directory, 'pki', ROOT_LIST_FILE),
    root: authority.root,
    rootIssuer: () => authority.rootIssuer(),
    revoked: (issuerNameHash) => registry.revoked.portions(issuerNameHash),
    now,
  });
  let keeping: Promise<void> = Promise.resolve();
  let isDue = false;
  /** Once for however many revocations come meanwhile. */
  const keep = (): void => {
    if (isDue) return;
    isDue = true;
    keeping = keeping
      .then(() => {
        isDue = false;
        return ofRoot.keep();
      })
      .catch((problem: unknown) => onDefect('revocation list of the root', problem));
  };
  keep();
  const timer = setInterval(keep, DAY);
  timer.unref();
  return {
    answer: publishedObjects({
      root: authority.root,
      issuers,
      rootIssuer: () => authority.rootIssuer(),
      rootList: () => ofRoot.kept(),
      lists,
      responder,
      bound: new AttemptBound({ burst: 200, refill: 50, addresses: 10_000, now }),
      now,
    }),
    follow({ change }) {
      if (!ENDS_CERTIFICATES.has(change)) return;
      lists.changed();
      responder.changed();
      if (change === 'revoked') keep();
    },
    close() {
      clearInterval(timer);
      return keeping;
    },
  };
}
