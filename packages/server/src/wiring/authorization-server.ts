import { parsePrincipal } from '@sallyport/model';
import { certificateAuthenticator } from '../authentication/certificate.ts';
import type { CertificateTrust } from '../authentication/certificate-standing.ts';
import type { PolicyStore } from '../authorization/policy-store.ts';
import type { Refuse } from '../authorization/session-rights.ts';
import type { Configuration } from '../config/schema.ts';
import type { ServerEvent } from '../events/events.ts';
import type { Installation } from '../installation.ts';
import { AuthorizationServer } from '../oauth/authorization-server.ts';
import type { RegistryChange } from '../registry/records.ts';
import { ownerProofs } from './owner-proofs.ts';

export interface AuthorizationServerParts {
  readonly configuration: Configuration;
  readonly installation: Installation;
  readonly policies: PolicyStore;
  readonly refuse: Refuse;
  readonly emit: (event: ServerEvent) => void;
  readonly now: () => number;
  /** Judges client certificates. */
  readonly trust: CertificateTrust;
  /** Port of HTTPS, once it is open; that of the listener which asks for certificates, if there is one. */
  readonly httpPort: () => number;
  readonly certificatePort: () => number | undefined;
}

const SWEEP_EACH = 60_000;

export interface EmbeddedServer {
  /** Absent if no organisation has one. */
  readonly oauth?: AuthorizationServer;
  /** Told of every change of the registry: who is registered anew under the same name does not get the tokens of the first. */
  follow(change: RegistryChange): void;
  /** Ends what it does by itself. */
  close(): void;
}

/** The embedded authorization server. */
export function authorizationServer(parts: AuthorizationServerParts): EmbeddedServer {
  const { configuration, installation, policies, refuse, emit, now, trust, httpPort, certificatePort } = parts;
  const {
    organisations,
    publicUrl,
    publicCertificateUrl,
    ownerApproval,
    keyLifetime,
    keyOverlap,
    maximumTokens,
    ...settings
  } = configuration.authorizationServer;
  if (organisations.length === 0) return { follow() {}, close() {} };
  const { registry, database, tokens, tokenKey } = installation;
  const oauth = new AuthorizationServer({
    organisations,
    terms: settings,
    maximumPendingDevices: settings.maximumPendingDevices,
    maximumRows: maximumTokens,
    lifetime: keyLifetime,
    overlap: keyOverlap,
    baseUrl: () => (publicUrl === 'none' ? `https://localhost:${httpPort()}` : publicUrl),
    certificateUrl() {
      const port = certificatePort();
      if (port === undefined) return undefined;
      if (publicCertificateUrl !== 'none') return publicCertificateUrl;
      return `https://${publicUrl === 'none' ? 'localhost' : new URL(publicUrl).hostname}:${port}`;
    },
    certificates: certificateAuthenticator({
      trust,
      findPrincipal: (name) => registry.lookup.byPrincipal(name),
      organisationExists: (id) => registry.lookup.organisationExists(id),
      now,
    }),
    database,
    serverKey: tokenKey,
    tokens,
    organisationExists: (id) => registry.lookup.organisationExists(id),
    findPrincipal: (name) => registry.lookup.byPrincipal(name),
    findByKey: (key) => registry.lookup.byApplicationKey(key),
    clientKeys: (name) => registry.clientKeys.list(name),
    loadPolicy: (organisation) => policies.load(organisation),
    ownerProofs: ownerApproval ? ownerProofs({ configuration, registry, emit, now }) : undefined,
    refuse,
    emit,
    now,
  });
  const sweeping = setInterval(() => {
    oauth.sweep().catch((problem: unknown) => {
      emit({ type: 'defect', where: 'sweep of the authorization server', problem: String(problem) });
    });
  }, SWEEP_EACH);
  sweeping.unref();
  return {
    oauth,
    close: () => clearInterval(sweeping),
    follow({ change, principal: written, target, by }) {
      if (change !== 'removed' || written === undefined || written !== target) return;
      const principal = parsePrincipal(written);
      if (!principal.ok || principal.value.kind === 'operator') return;
      if (!organisations.includes(principal.value.organisation)) return;
      oauth.revokeAll(principal.value, by).catch((problem: unknown) => {
        emit({ type: 'defect', where: `tokens of ${written}, which was removed`, problem: String(problem) });
      });
    },
  };
}
