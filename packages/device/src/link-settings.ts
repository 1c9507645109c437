import type { PeerCertificate, TLSSocket } from 'node:tls';
import type { IClientOptions, MqttClient } from 'mqtt';
import type { ChangingCertificate } from './certificate-files.ts';
import { certificateSettings } from './certificate-settings.ts';
import type { ClientCertificate, LinkOptions } from './link-options.ts';
import type { ConnectProof, LinkProof } from './link-proof.ts';
import { packetBound } from './packet-bound.ts';
import { authProperties } from './proof-exchange.ts';
import { rootCertificate } from './root-certificate.ts';
import { pinsOf, unpinned } from './server-pin.ts';

/** The library would connect again by itself, without the proof of that moment: in 24 days then. */
const NEVER = 2_147_483_647;
/** Seconds for which the server keeps the session of a client that moves over to another connection. */
const MOVING_TIME = 300;

/**
 * Settings of the MQTT library that stay the same for every connection.
 *
 * @throws Failure `key_material_invalid`
 */
export async function lastingSettings(options: LinkOptions, resubscribe: boolean): Promise<IClientOptions> {
  const { host, websocket = false, protocolVersion = 5, keepAlive = 60, connectTimeout = 15_000 } = options;
  return {
    protocol: websocket ? 'wss' : 'mqtts',
    host,
    hostname: host,
    port: options.port ?? (websocket ? 8443 : 8883),
    path: typeof websocket === 'string' ? websocket : '/mqtt',
    ...(options.ca === undefined ? {} : { ca: await rootCertificate(options.ca) }),
    rejectUnauthorized: true,
    protocolVersion,
    clean: true,
    keepalive: keepAlive,
    connectTimeout,
    reconnectPeriod: NEVER,
    queueQoSZero: false,
    // Else the library makes a worker of a text in a browser, which strict pages forbid.
    timerVariant: 'native',
    ...(resubscribe ? {} : { resubscribe: false }),
    ...(await pinSettings(options.serverPin)),
  };
}

/**
 * Settings of one connection: what it proves itself with, and whether its session is `kept`.
 *
 * @throws Failure `key_material_invalid`, `invalid_request`
 */
export async function connectSettings(
  { username, password, method, data }: ConnectProof,
  options: Pick<LinkOptions, 'certificate' | 'protocolVersion' | 'maximumPacketSize'>,
  kept: boolean,
): Promise<IClientOptions> {
  const { certificate, protocolVersion = 5, maximumPacketSize } = options;
  const properties = {
    ...(protocolVersion === 5 ? { maximumPacketSize: packetBound(maximumPacketSize) } : {}),
    ...(protocolVersion === 5 && kept ? { sessionExpiryInterval: MOVING_TIME } : {}),
    ...(method === undefined ? {} : authProperties(method, data)),
  };
  return {
    username,
    password,
    ...(Object.keys(properties).length === 0 ? {} : { properties }),
    ...(certificate === undefined ? {} : await certificateSettings(presented(certificate))),
  } as IClientOptions;
}

/**
 * True if the session has to outlive a connection, as renewing what proves the client takes another one. By MQTT 5 only certificates do, and
 * the session ends soon after it was left; MQTT 3.1.1 knows no end for that.
 */
export function keepsSession(
  { certificate, protocolVersion = 5 }: Pick<LinkOptions, 'certificate' | 'protocolVersion'>,
  proof: Pick<LinkProof, 'renew'>,
): boolean {
  const renewed = certificate !== undefined && isChanging(certificate);
  return renewed || (protocolVersion === 4 && proof.renew !== undefined);
}

/** True for a certificate that is renewed while it is used. */
export function isChanging(certificate: ClientCertificate | ChangingCertificate): certificate is ChangingCertificate {
  return 'current' in certificate;
}

function presented(certificate: ClientCertificate | ChangingCertificate): ClientCertificate {
  return isChanging(certificate) ? certificate.current : certificate;
}

/** Changes the settings of a client for its next connection, also where WebSocket has copied them. */
export function applySettings(client: MqttClient, settings: IClientOptions): void {
  const { options } = client;
  Object.assign(options, settings);
  const copied = options.wsOptions as Record<string, unknown> | undefined;
  for (const name of ['cert', 'key', 'pfx', 'passphrase', 'privateKeyEngine', 'privateKeyIdentifier']) {
    if (copied !== undefined && name in settings) copied[name] = (settings as Record<string, unknown>)[name];
  }
}

async function pinSettings(pin: LinkOptions['serverPin']): Promise<IClientOptions> {
  if (pin === undefined) return {};
  const pins = pinsOf(pin);
  // Loaded on demand: a browser has no TLS of its own, and lets nobody pin.
  const { checkServerIdentity } = await import('node:tls');
  const pinned = {
    checkServerIdentity: (host: string, certificate: PeerCertificate) =>
      checkServerIdentity(host, certificate) ?? unpinned(pins, certificate),
  };
  return { ...pinned, wsOptions: pinned } as IClientOptions;
}

/** The socket of the first attempt tells by itself how far it is. */
export function watchStages(client: MqttClient, onStage: NonNullable<LinkOptions['onStage']>): void {
  const socket = client.stream as Partial<TLSSocket> & MqttClient['stream'];
  socket.once('lookup', (_error: unknown, address: unknown) => onStage('name', `the name leads to ${String(address)}`));
  socket.once('connect', () => onStage('tcp', `connected to port ${socket.remotePort ?? '?'}`));
  socket.once('secureConnect', () => {
    const { valid_to: until } = socket.getPeerCertificate?.() ?? {};
    const day = until === undefined ? '?' : new Date(until).toISOString().slice(0, 10);
    const how = `${socket.getProtocol?.() ?? 'TLS'} with ${socket.getCipher?.().standardName ?? 'an unnamed cipher'}`;
    onStage('tls', `${how}; the certificate of the server holds until ${day}`);
  });
  client.once('connect', () => onStage('accepted', 'the server knows who this is'));
}
