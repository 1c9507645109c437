import type { CertificateStatus } from '@sallyport/trust';
import { OcspResponder } from '../authority/ocsp-responder.ts';
import { RevocationLists } from '../authority/revocation-lists.ts';
import type { Configuration } from '../config/schema.ts';
import { AttemptBound } from '../http/attempt-bound.ts';
import { type AnswerPublished, publishedObjects } from '../http/published-objects.ts';
import type { Installation } from '../installation.ts';
import type { RegistryChange } from '../registry/records.ts';

export interface RevocationOptions extends Pick<Installation, 'registry' | 'authority'> {
  readonly configuration: Configuration;
  readonly now: () => number;
}

/** What this server publishes of its own certificates. */
export interface Publication {
  readonly answer: AnswerPublished;
  /** Told of every change of the registry. */
  follow(change: RegistryChange): void;
}

const ENDS_CERTIFICATES: ReadonlySet<RegistryChange['change']> = new Set(['created', 'revoked', 'removed']);

/** Revocation lists and OCSP for the certificates of this server, from what the registry says at this moment. */
export function publication({ registry, authority, configuration, now }: RevocationOptions): Publication {
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
  return {
    answer: publishedObjects({
      root: authority.root,
      issuers,
      rootIssuer: () => authority.rootIssuer(),
      lists,
      responder,
      bound: new AttemptBound({ burst: 200, refill: 50, addresses: 10_000, now }),
      now,
    }),
    follow({ change }) {
      if (!ENDS_CERTIFICATES.has(change)) return;
      lists.changed();
      responder.changed();
    },
  };
}
