import { Failure, type ServerCertificateDocument, type ServerCertificateRequestDocument } from '@sallyport/model';
import type { CertificateFacts } from '@sallyport/trust';
import type { Authority } from '../authority/authority.ts';
import { pairWarnings, type ServerPair } from '../authority/check-server-pair.ts';
import { givenNames } from '../authority/server-names.ts';
import type { ServerEvent } from '../events/events.ts';
import type { Registry } from '../registry/registry.ts';

/** The certificates that this server shows: of its own authority, or imported, also for the host names of single organisations. */
export interface ServerCertificateDesk {
  /** The one in use. `not_found` for an organisation that has none of its own. */
  show(organisation?: string): Promise<ServerCertificateDocument>;
  /** `invalid_request` says what is wrong; else every listener shows it from the next handshake on. */
  set(given: {
    readonly organisation?: string;
    readonly chain: string;
    /** Left out: it is for the key of this server, as {@link request} asked for. */
    readonly key?: string;
    readonly by: string;
  }): Promise<ServerCertificateDocument>;
  /** A request for another authority to sign, for the key of this server. `names`: host names and addresses, those of its own certificate if none. */
  request(given: { readonly names?: readonly string[] }): Promise<ServerCertificateRequestDocument>;
  /** Forgets an imported one with its key, and answers what is shown in its place. `not_found` if there is none. */
  reset(given: { readonly organisation?: string; readonly by: string }): Promise<ServerCertificateDocument>;
}

export interface ServerCertificateDeskOptions {
  readonly authority: Pick<
    Authority,
    'serverPairs' | 'ownServerCertificate' | 'ownServerKey' | 'requestServerCertificate'
  >;
  readonly registry: { readonly organisations: Pick<Registry['organisations'], 'get'> };
  /** Host names and addresses that the configuration says clients use. */
  readonly names: readonly string[];
  /** Hands the certificates to the listeners. */
  readonly renew: () => Promise<void>;
  readonly emit: (event: ServerEvent) => void;
}

export function serverCertificateDesk({
  authority,
  registry,
  names,
  renew,
  emit,
}: ServerCertificateDeskOptions): ServerCertificateDesk {
  const { serverPairs } = authority;

  function inUse(organisation?: string): ServerCertificateDocument {
    const pair = organisation === undefined ? undefined : serverPairs.of(organisation);
    if (pair) return imported(pair, organisation);
    const ofServer = serverPairs.of();
    if (ofServer) return imported(ofServer, undefined);
    const own = authority.ownServerCertificate();
    return documentOf(own.facts, { source: 'own', chainPem: own.chainPem, warnings: [] });
  }
  function imported(pair: ServerPair, organisation: string | undefined): ServerCertificateDocument {
    return {
      ...(organisation === undefined ? {} : { organisation }),
      ...documentOf(pair.facts, {
        source: 'imported',
        chainPem: pair.chainPem,
        warnings: pairWarnings(pair, organisation === undefined ? names : []),
      }),
    };
  }
  const whose = (organisation: string | undefined) => (organisation === undefined ? {} : { organisation });
  async function changed(by: string, organisation?: string): Promise<ServerCertificateDocument> {
    await renew();
    const document = inUse(organisation);
    const { source, subject, fingerprint } = document;
    emit({
      type: 'server-certificate.changed',
      ...{ by, source, subject, fingerprint, ...whose(organisation) },
      notAfter: Date.parse(document.notAfter),
    });
    return document;
  }

  return {
    async show(organisation) {
      if (organisation !== undefined) await registry.organisations.get(organisation);
      if (organisation !== undefined && !serverPairs.of(organisation)) throw none(organisation);
      return inUse(organisation);
    },
    async request({ names: wanted = [] }) {
      const names = wanted.length === 0 ? undefined : givenNames(wanted);
      if (names && !names.ok) {
        throw new Failure('invalid_request', `names: ${names.problem}.`, {
          cure: 'Write host names like mqtt.example.com or *.example.com, or addresses like 192.0.2.7.',
        });
      }
      return { csr: await authority.requestServerCertificate(names?.value) };
    },
    async set({ organisation, chain, key = authority.ownServerKey(), by }) {
      if (organisation !== undefined) await registry.organisations.get(organisation);
      await serverPairs.set({ chain, key, ...whose(organisation) });
      return changed(by, organisation);
    },
    async reset({ organisation, by }) {
      if (organisation !== undefined) await registry.organisations.get(organisation);
      if (!(await serverPairs.remove(organisation))) throw none(organisation);
      return changed(by, organisation);
    },
  };
}

function none(organisation: string | undefined): Failure {
  return organisation === undefined
    ? new Failure('not_found', 'No server certificate was imported.', { cure: 'There is nothing to reset.' })
    : new Failure('not_found', `Organisation "${organisation}" has no server certificate of its own.`, {
        cure: 'Its clients are shown that of the server.',
      });
}

function documentOf(
  facts: CertificateFacts,
  more: Pick<ServerCertificateDocument, 'source' | 'chainPem' | 'warnings'>,
): ServerCertificateDocument {
  const { subject, issuer, serial, fingerprintSha256, notBefore, notAfter, subjectAlternativeNames } = facts;
  return {
    ...{ subject, issuer, serial, fingerprint: fingerprintSha256 },
    notBefore: new Date(notBefore).toISOString(),
    notAfter: new Date(notAfter).toISOString(),
    names: [...subjectAlternativeNames.dns, ...subjectAlternativeNames.ip],
    ...more,
  };
}
