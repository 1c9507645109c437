import { TLSSocket } from 'node:tls';
import type { FastifyRequest } from 'fastify';
import type { Refusals } from '../audit/refusals.ts';
import { certificateAuthenticator } from '../authentication/certificate.ts';
import type { CertificateTrust } from '../authentication/certificate-standing.ts';
import { enrolmentProof } from '../authentication/enrolment-proof.ts';
import type { ServerCredentials } from '../authority/authority.ts';
import type { Configuration } from '../config/schema.ts';
import type { ServerEvent } from '../events/events.ts';
import type { TransportFacts } from '../events/transport-facts.ts';
import { type EnrolmentDesk, enrolmentDesk } from '../http/enrolment-desk.ts';
import { buildEnrolmentDoor } from '../http/enrolment-door.ts';
import type { FirmwareDoorOptions } from '../http/firmware-door.ts';
import { listenHttp } from '../http/listen.ts';
import type { OauthEndpointOptions } from '../http/oauth-endpoints.ts';
import type { Installation } from '../installation.ts';
import type { ConnectRates } from '../listeners/connect-rate.ts';
import { guardHandshakes } from '../listeners/guard-handshakes.ts';
import type { HandshakeFailureReport } from '../listeners/handshake-problem.ts';
import { namedContexts } from '../listeners/named-contexts.ts';
import { secureContextOptions } from '../listeners/secure-settings.ts';
import { socketAddresses } from '../listeners/socket-address.ts';
import { tlsFacts } from '../listeners/tls-facts.ts';

const LISTENER = 'enrolment';

interface Wired {
  readonly installation: Pick<Installation, 'registry' | 'authority'>;
  readonly trust: CertificateTrust;
  readonly refusals: Pick<Refusals, 'refuse'>;
  readonly emit: (event: ServerEvent) => void;
  readonly now: () => number;
}

/** Enrolment over registry and authority. Certificates are judged as those of MQTT clients are. */
export function wireEnrolment({ installation, trust, refusals, emit, now }: Wired): EnrolmentDesk {
  const { registry, authority } = installation;
  const { enrolment, certificates, lookup } = registry;
  const findPrincipal = (name: string) => lookup.byPrincipal(name);
  const prove = enrolmentProof({
    findCode: (code) => enrolment.findCode(code),
    countAttempt: (id) => enrolment.countAttempt(id),
    async findClaim(name) {
      const record = (await certificates.findBySerial(name)).find(({ kind }) => kind === 'claim');
      const claim = record && (await enrolment.findClaim(record));
      if (!claim) return undefined;
      const { id, organisation, revokedAt } = claim.certificate;
      return { id, organisation, type: claim.type, ...(revokedAt === undefined ? {} : { revokedAt }) };
    },
    findPrincipal,
    certificates: certificateAuthenticator({
      trust,
      findPrincipal,
      organisationExists: (id) => lookup.organisationExists(id),
      now,
    }),
    trust,
    now,
  });
  return enrolmentDesk({ authority, registry, prove, refusals, emit });
}

/** The open listener for enrolment by certificate. */
export interface EnrolmentListener {
  readonly address: string;
  readonly port: number;
  setCredentials(credentials: ServerCredentials): void;
  close(): Promise<void>;
}

/** Opens it if the configuration says so. */
export async function openEnrolmentListener(options: {
  readonly settings: Configuration['listeners']['enrolment'];
  readonly desk: EnrolmentDesk;
  readonly credentials: ServerCredentials;
  readonly minimumTlsVersion: Configuration['listeners']['mqttTls']['minimumTlsVersion'];
  readonly rates: ConnectRates;
  readonly onHandshakeFailure: HandshakeFailureReport;
  readonly emit: (event: ServerEvent) => void;
  readonly now: () => number;
  readonly firmware: FirmwareDoorOptions;
  /** Access tokens by certificate, if there is an authorization server. */
  readonly oauth?: Omit<OauthEndpointOptions, 'transportOf'> | undefined;
}): Promise<EnrolmentListener | undefined> {
  const { settings, desk, minimumTlsVersion, emit, now } = options;
  if (!settings.enabled) return undefined;
  const named = namedContexts(minimumTlsVersion, options.credentials);
  const door = buildEnrolmentDoor({
    tls: { ...secureContextOptions(options.credentials, minimumTlsVersion), SNICallback: named.SNICallback },
    desk,
    listener: LISTENER,
    transportOf,
    emit,
    now,
    firmware: options.firmware,
    oauth: options.oauth && { ...options.oauth, transportOf },
  });
  const gate = guardHandshakes(door.server, {
    name: LISTENER,
    ...options.rates,
    onHandshakeFailure: options.onHandshakeFailure,
  });
  const port = await listenHttp(door, settings);
  return {
    address: settings.address,
    port,
    setCredentials(credentials) {
      door.server.setSecureContext(secureContextOptions(credentials, minimumTlsVersion));
      named.use(credentials);
    },
    async close() {
      gate.close();
      await door.close();
    },
  };
}

function transportOf({ raw: { socket } }: FastifyRequest): TransportFacts | undefined {
  const addresses = socketAddresses(socket);
  if (!addresses || !(socket instanceof TLSSocket)) return undefined;
  // No server name: an enrolment address selects nobody, and the certificate alone says whose it is.
  const { serverName: _, ...facts } = tlsFacts(socket, addresses, {
    listener: LISTENER,
    transport: 'tls',
  });
  return facts;
}
