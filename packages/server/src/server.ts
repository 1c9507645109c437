import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { certificateAdmission } from './authentication/admit-certificate.ts';
import { operatorAuthenticator } from './authentication/operator-token.ts';
import { regrounds } from './authentication/regrounds.ts';
import type { ExpiryWatch } from './authority/expiry-watch.ts';
import { shownNames } from './authority/shown-names.ts';
import { authorizer } from './authorization/authorizer.ts';
import { Containments } from './authorization/containments.ts';
import { PolicyStore } from './authorization/policy-store.ts';
import { questioner } from './authorization/questioner.ts';
import { arrivalDoors, ownerOf } from './broker/arrive.ts';
import type { Attend } from './broker/attend.ts';
import { Broker } from './broker/broker.ts';
import { configuredLimits, limitsByPrincipal } from './broker/configured-limits.ts';
import { newCounters } from './broker/counters.ts';
import { gatewayDevices } from './broker/gateway-devices.ts';
import { monitorSessions } from './broker/monitor.ts';
import { readmission } from './broker/readmission.ts';
import { sessionDesk } from './broker/session-desk.ts';
import { openSessionStore } from './broker/sqlite-session-store.ts';
import type { Configuration } from './config/schema.ts';
import { unsafeSettings } from './config/unsafe-settings.ts';
import { EventStream } from './events/stream.ts';
import { buildApi } from './http/api.ts';
import { certificateDesk } from './http/certificate-desk.ts';
import { identityDesk } from './http/identity-desk.ts';
import { listenPublished } from './http/listen-published.ts';
import { policyDesk } from './http/policy-desk.ts';
import { serverCertificateDesk } from './http/server-certificate-desk.ts';
import { openInstallation } from './installation.ts';
import { handshakeFailures } from './listeners/handshake-failures.ts';
import type { AcceptStream } from './listeners/listener-options.ts';
import { announceBroadPolicies } from './registry/broad-policies.ts';
import { operatorIdOfToken } from './registry/operator-token.ts';
import type { RegistryChange } from './registry/records.ts';
import { registerForGateway } from './registry/register-for-gateway.ts';
import type { Registry } from './registry/registry.ts';
import { writePrivateFile } from './storage/private-file.ts';
import { accessTokens } from './wiring/access-tokens.ts';
import { openAlerts } from './wiring/alerts.ts';
import { followSuccession } from './wiring/authority-succession.ts';
import { authorizationServer } from './wiring/authorization-server.ts';
import { openDirectories } from './wiring/directories.ts';
import { openEnrolmentListener, wireEnrolment } from './wiring/enrolment.ts';
import { watchExpiry } from './wiring/expiry-watch.ts';
import { firmwareAuthentication, openFirmware } from './wiring/firmware.ts';
import { certificateTrust, firstDoor } from './wiring/first-door.ts';
import { foreignRevocation } from './wiring/foreign-revocation.ts';
import { openGuessing } from './wiring/guessing.ts';
import { handshakeAdmission } from './wiring/handshake-admission.ts';
import { heldAgainst } from './wiring/held-against.ts';
import { httpsCredentials, openHttpsListener } from './wiring/https-listener.ts';
import { openIncidents, throttledLimits } from './wiring/incidents.ts';
import { openLists } from './wiring/lists.ts';
import { openMqttListeners } from './wiring/mqtt-listeners.ts';
import { openObservers } from './wiring/observers.ts';
import { followOrganisations } from './wiring/organisation-authorities.ts';
import { ownIssuers } from './wiring/own-issuers.ts';
import { followDemands } from './wiring/payload-demands.ts';
import { wireRegistration } from './wiring/registration.ts';
import { registryChanges } from './wiring/registry-changes.ts';
import { publication } from './wiring/revocation.ts';
import { overhearCommands } from './wiring/sent-commands.ts';
import {
  clientFacingCredentials,
  keepServerCredentials,
  type ServerCredentialsKeeper,
} from './wiring/server-credentials.ts';
import { watchSuspicions } from './wiring/suspicions.ts';
import { followTypeLimits } from './wiring/type-limits.ts';
import { UnderWay } from './wiring/under-way.ts';
import { announceUnsafeUnlocks, wireUnlock } from './wiring/unlock.ts';
import { openWorkers } from './wiring/workers.ts';
import { recordingAuthorizer } from './workers/arrival-desk.ts';
import { SummedCounters } from './workers/summed-counters.ts';

const VERSION = (createRequire(import.meta.url)('../package.json') as { version: string }).version;
/** Sessions, what waits in them, and retained messages; in the data directory. */
const SESSIONS_FILE = 'sessions.db';
/** Says to commands on the same machine where the server is to be found. */
const SERVER_FILE = 'server.json';

export interface ServerOptions {
  readonly configuration: Configuration;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** Told before each step of the start that may take a moment. */
  readonly progress?: (step: string) => void;
}

/** A server that is open for clients. */
export interface RunningServer {
  readonly version: string;
  readonly dataDirectory: string;
  /** Port of MQTT over TLS; undefined if it is switched off. */
  readonly mqttPort: number | undefined;
  /** Port of MQTT without TLS; undefined unless it was allowed. */
  readonly plainPort: number | undefined;
  /** Port of the API and of MQTT over WebSocket. */
  readonly httpPort: number;
  /** Port of plain HTTP for what is published about revocation; undefined unless it was switched on. */
  readonly revocationPort: number | undefined;
  /** Port of enrolment by certificate; undefined unless it was switched on. */
  readonly enrolmentPort: number | undefined;
  /** PEM of the root certificate that clients are to trust. */
  readonly rootPem: string;
  readonly registry: Registry;
  readonly events: EventStream;
  /** True if the data directory was made by this start. */
  readonly fresh: boolean;
  /** Resolves when what was changed in the registry is in force in all processes. */
  settled(): Promise<void>;
  /** Tells clients, lets them finish, and puts everything on disk. Safe to call twice. */
  close(cause?: string): Promise<void>;
}

/** Opens everything that the configuration names, and wires it. Throws the failures of its parts; nothing stays open then. */
export async function startServer({
  configuration,
  now = Date.now,
  progress = () => {},
}: ServerOptions): Promise<RunningServer> {
  const undo: (() => unknown)[] = [];
  const closeAll = async (): Promise<void> => {
    for (let step = undo.pop(); step; step = undo.pop()) await step();
  };
  try {
    return await open({ configuration, now, progress }, undo, closeAll);
  } catch (error) {
    await closeAll();
    throw error;
  }
}

async function open(
  { configuration, now, progress }: Required<ServerOptions>,
  undo: (() => unknown)[],
  closeAll: () => Promise<void>,
): Promise<RunningServer> {
  const events = new EventStream();
  const emit = events.emit.bind(events);
  let changed = (_change: RegistryChange): void => {};
  const installation = await openInstallation({ configuration, now, progress, onChange: (change) => changed(change) });
  undo.push(() => installation.close());
  const { registry, authority, tokens, passwords, database, directory } = installation;

  const atEnd = (close: () => unknown): void => void undo.push(close);
  const counters = newCounters();
  let expiring: ExpiryWatch | undefined;
  const counted = new SummedCounters(counters);
  const { trail, refusals, health, meters } = openObservers({
    ...{ configuration, installation, events, now, atEnd },
    counters: counted.sum,
    expiring: () => expiring?.counts ?? {},
  });

  // First door: who are you.
  const { lookup } = registry;
  const findPrincipal = (name: string) => lookup.byPrincipal(name);
  const foreign = await foreignRevocation({ registry, configuration, now, emit });
  undo.push(() => foreign.close());
  const trust = { ...certificateTrust({ registry, authority }), news: foreign.news };
  const policies = new PolicyStore({
    findDocument: async (organisation) => (await registry.policies.get(organisation))?.text,
    now,
  });
  const refuse = refusals.refuse.bind(refusals);
  let httpPort = 0;
  let enrolmentPort: number | undefined;
  const authorization = authorizationServer({
    configuration,
    installation,
    policies,
    refuse,
    emit,
    now,
    trust,
    httpPort: () => httpPort,
    certificatePort: () => enrolmentPort,
  });
  undo.push(() => authorization.close());
  const { oauth } = authorization;
  const own = oauth && ownIssuers(oauth);
  const bearer = accessTokens({ ...installation, configuration, findPrincipal, own, now });
  undo.push(() => bearer.close());
  const directories = openDirectories({
    configuration,
    findPrincipal,
    now,
    onDefect: (where, problem) => emit({ type: 'defect', where, problem: String(problem) }),
  });
  undo.push(() => directories.close());
  await directories.check();
  const unlock = wireUnlock({ configuration, registry, events, broker: () => broker, now });
  const presence = unlock.method;
  const registerUnknown = wireRegistration({ registry, settings: configuration.enrolment, now });
  const satisfy = directories.guard(
    firstDoor({
      registry,
      trust,
      registerUnknown,
      accessTokens: bearer,
      presence,
      tokens,
      passwords,
      directories,
      now,
    }),
  );

  // Second door: what may you touch.
  const containments = new Containments((principal, level) => workers?.tell('setContainment', principal, level));
  const door = recordingAuthorizer(authorizer({ policies, containments, refuse, now }));

  const firmware = openFirmware({ registry, database, directory, configuration, events, now, refuse });
  undo.push(() => firmware.stop());

  progress('Opening the sessions');
  const store = await openSessionStore(join(directory, SESSIONS_FILE));
  undo.push(() => store.close());
  const typeLimits = await followTypeLimits(registry);
  const usualLimits = limitsByPrincipal(configuration, typeLimits.of);
  const limitsOf = throttledLimits(usualLimits, containments);
  const { judge: judgeLists, ...addressLists } = await openLists({
    installation,
    configuration,
    emit,
    now,
    reconsider: (match) => broker.reconsider(match),
  });
  undo.push(() => addressLists.close());
  const payloadDemands = await followDemands(registry, (type, demand) => workers?.tell('setDemand', type, demand));
  const guessing = await openGuessing({ installation, configuration, emit, now });
  undo.push(() => guessing.close());
  const limits = configuredLimits(configuration);
  const asked = {
    limits,
    counters,
    arrive: arrivalDoors({
      lists: judgeLists,
      guesses: guessing.guard,
      satisfy,
      authorizer: door,
      refuse,
      findPrincipal,
      owes: unlock.owes,
      limitsOf,
    }),
    regrounds: addressLists.regrounds(
      directories.regrounds(regrounds({ findPrincipal, trust, issuers: bearer.trust, now })),
    ),
    askForDevice: gatewayDevices({
      findPrincipal,
      register: (device, by) => registerForGateway(registry, device, by),
      bounds: {
        pending: configuration.limits.maximumPendingRegistrations,
        perGateway: configuration.limits.maximumRegistrations,
        retryAfter: configuration.limits.registrationRetry,
      },
      now,
    }),
    attend: ((topic, principal) => unlock.attend(topic, principal) ?? firmware.attend(topic)) satisfies Attend,
    limitsOf,
    overhear: overhearCommands({ registry, events, now }),
  };
  const onHandshakeFailure = handshakeFailures({
    refuse,
    emit,
    ownNames: () => shownNames(authority),
  });
  const readmit = readmission({ authorizer: door, limitsOf });
  const admitCertificate = handshakeAdmission(certificateAdmission({ trust, now }));
  const workers = openWorkers({
    ...asked,
    counted,
    configuration,
    registry,
    refusals,
    store,
    authorizer: door,
    containments,
    demands: payloadDemands,
    admitCertificate,
    onHandshakeFailure,
    broker: () => ownBroker,
    readmit,
    emit,
  });
  const ownBroker: Broker = new Broker({
    ...asked,
    now,
    random: randomBytes,
    events,
    refuse,
    payloadDemands,
    store,
    ...(workers && { workers: workers.links }),
  });
  const broker = workers ? workers.after(ownBroker.whole) : ownBroker.whole;
  const organisationAuthorities = followOrganisations({ registry, authority, emit });
  undo.push(() => organisationAuthorities.close());
  const published = publication({
    ...{ registry, authority, directory, configuration, now },
    onDefect: (where, problem) => emit({ type: 'defect', where, problem: String(problem) }),
  });
  undo.push(() => published.close());
  const underWay = new UnderWay();
  let credentials: ServerCredentialsKeeper | undefined;
  changed = registryChanges({
    before: [payloadDemands.changed, typeLimits.changed],
    after: [
      ({ kind }) => kind === 'authority' && credentials?.nameAuthorities(),
      organisationAuthorities.changed,
      published.follow,
      ({ kind, change, organisation = '' }) =>
        kind === 'organisation' && change === 'removed' && addressLists.lists.forget(organisation),
      foreign.follow,
      authorization.follow,
    ],
    policies: workers?.policies(policies) ?? policies,
    ...{ broker, underWay, emit },
  });
  foreign.onRevoked((organisation) => {
    broker.reconsider({ organisation }).catch((problem: unknown) => {
      emit({ type: 'defect', where: 'rights after news of revocation', problem: String(problem) });
    });
  });
  const endMonitor = monitorSessions({
    events,
    publish: broker.publish.bind(broker),
    exists: async (clientId) => (await findPrincipal(ownerOf(clientId))) !== undefined,
    now,
  });
  undo.push(endMonitor);
  undo.push(() => ownBroker.close('The server is stopping.'));
  undo.push(() => workers?.close('The server is stopping.'));
  directories.watch((organisation) => broker.reconsider({ organisation }));
  const incidents = await openIncidents({
    installation,
    configuration,
    events,
    containments,
    broker,
    limitsOf: usualLimits,
    now,
  });
  undo.push(() => incidents.close());
  const { countries } = addressLists;
  undo.push(
    await watchSuspicions(
      { installation, configuration, events, broker, countryOf: (address) => countries.of(address), now },
      incidents,
    ),
  );
  const alerts = openAlerts({ configuration, events, incidents, publish: broker.publish.bind(broker), now });
  undo.push(() => alerts.close());
  events.on('signing-keys.rotated', ({ atOnce, organisation }) => {
    if (atOnce) void broker.reconsider({ organisation });
  });
  events.on('token.revoked', ({ organisation, principal }) => {
    bearer.revoked(organisation);
    void broker.reconsider(principal === undefined ? { organisation } : { principal });
  });
  await ownBroker.restore(readmit);
  await firmware.start(broker);

  const https = httpsCredentials(authority, configuration.listeners.mqttTls.minimumTlsVersion);
  const enrolment = wireEnrolment({ installation, trust, refusals, emit, now });
  const firmwareDoor = {
    file: (organisation: string, path: string) => firmware.desk.file(organisation, path),
    authenticate: firmwareAuthentication(satisfy),
    maximumDownloads: configuration.firmware.maximumDownloads,
  };
  const api = buildApi({
    version: VERSION,
    tls: https.tls,
    registry,
    trail,
    refusals: {
      refuse,
      find: (ticket) => refusals.find(ticket),
      list: (filter) => refusals.list(filter),
    },
    sessions: sessionDesk(broker),
    unlocks: unlock.desk,
    policy: policyDesk(),
    addressLists,
    guesses: guessing.guard,
    incidents,
    alerts,
    certificates: certificateDesk({ authority, registry, issueRate: configuration.enrolment.maximumIssueRate, now }),
    serverCertificates: serverCertificateDesk({
      ...{ authority, registry, emit },
      names: configuration.serverNames,
      renew: async () => credentials?.renew(),
    }),
    firmware: firmware.desk,
    rollouts: firmware.rollouts,
    firmwareDoor,
    oauth,
    identities: identityDesk({ identities: registry.identities, issuerOf: authority.issuerOf, now }),
    enrolment,
    explain: questioner({
      load: (organisation) => policies.load(organisation),
      findRoles: async (name) => (await findPrincipal(name))?.roles,
      judgeLists,
      heldAgainst: heldAgainst(findPrincipal, containments),
      now,
    }),
    health: () => health.now(),
    async metricsText() {
      await workers?.count();
      counted.refresh();
      return meters.text();
    },
    ...(workers && { settled: () => underWay.settled() }),
    published: published.answer,
    revocationLists: foreign.listsOf,
    renewRevocation: foreign.renew,
    authenticateOperator: operatorAuthenticator({ findPrincipal, tokens, operatorIdOf: operatorIdOfToken, now }),
    emit,
    now,
  });
  undo.push(() => api.close());

  progress('Opening the listeners');
  const accept: AcceptStream = (stream, facts) => {
    if (workers?.full()) stream.destroy();
    else ownBroker.accept(stream, facts);
  };
  const { mqttTls, http, revocationHttp } = configuration.listeners;
  const opened: string[] = [];
  const rates = {
    connectRate: configuration.limits.maximumConnectRate,
    connectRatePerAddress: configuration.limits.maximumConnectRatePerAddress,
    boundLoopback: configuration.limits.boundLoopback,
    refuseAddress: guessing.refuseAddress(addressLists.refuseAddress),
  };
  const mqtt = await openMqttListeners({
    settings: configuration.listeners,
    rates,
    credentials: await clientFacingCredentials(installation),
    admitCertificate,
    accept,
    onHandshakeFailure,
    workers,
  });
  undo.push(() => mqtt.close());
  for (const port of [mqtt.tls, mqtt.plain]) if (port) opened.push(`${port.name} ${port.address}:${port.port}`);
  httpPort = await openHttpsListener({
    ...{ api, rates, accept, onHandshakeFailure, atEnd },
    settings: http,
    maximumPacketSize: configuration.limits.maximumPacketSize,
  });
  opened.push(`https ${http.address}:${httpPort}`);
  const publishing = revocationHttp.enabled
    ? await listenPublished({ ...revocationHttp, answer: published.answer })
    : undefined;
  if (publishing) {
    undo.push(() => publishing.close());
    opened.push(`revocation-http ${publishing.address}:${publishing.port}`);
  }

  const enrolmentDoor = await openEnrolmentListener({
    settings: configuration.listeners.enrolment,
    desk: enrolment,
    credentials: await clientFacingCredentials(installation),
    minimumTlsVersion: mqttTls.minimumTlsVersion,
    rates,
    onHandshakeFailure,
    emit,
    now,
    firmware: { ...firmwareDoor, refuse, emit, now },
    oauth: oauth && { oauth, addressLists, now },
  });
  enrolmentPort = enrolmentDoor?.port;
  if (enrolmentDoor) {
    undo.push(() => enrolmentDoor.close());
    opened.push(`enrolment ${enrolmentDoor.address}:${enrolmentDoor.port}`);
  }

  const mqttPort = mqtt.tls?.port;
  const plainPort = mqtt.plain?.port;
  writePrivateFile(
    join(directory, SERVER_FILE),
    `${JSON.stringify({ pid: process.pid, mqttPort: mqttPort ?? null, plainPort: plainPort ?? null, httpPort, enrolmentPort: enrolmentDoor?.port ?? null, address: http.address })}\n`,
  );
  undo.push(() => rmSync(join(directory, SERVER_FILE), { force: true }));
  const keeper = keepServerCredentials({
    ...{ installation, mqtt, emit },
    enrolment: enrolmentDoor,
    renewHttps: () => https.renew(api.server),
  });
  credentials = keeper;
  undo.push(() => keeper.close());
  emit({ type: 'server.started', version: VERSION, listeners: opened });
  const succession = followSuccession({ authority, emit, now, succeeded: keeper.nameAuthorities });
  undo.push(() => succession.close());
  const expiry = watchExpiry({ registry, authority, emit, now });
  expiring = expiry.watch;
  undo.push(() => expiry.close());
  for (const { setting, meaning } of unsafeSettings(configuration)) emit({ type: 'server.unsafe', setting, meaning });
  await announceBroadPolicies(registry, emit);
  await announceUnsafeUnlocks({ registry, events });

  let closing: Promise<void> | undefined;
  return {
    version: VERSION,
    dataDirectory: directory,
    mqttPort,
    plainPort,
    httpPort,
    revocationPort: publishing?.port,
    enrolmentPort: enrolmentDoor?.port,
    rootPem: authority.rootPem,
    registry,
    events,
    fresh: installation.fresh,
    settled: () => underWay.settled(),
    close(cause = 'asked to stop') {
      closing ??= Promise.resolve().then(() => {
        emit({ type: 'server.stopping', cause });
        return closeAll();
      });
      return closing;
    },
  };
}
