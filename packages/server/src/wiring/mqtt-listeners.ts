import type { ServerCredentials } from '../authority/authority.ts';
import type { Configuration } from '../config/schema.ts';
import { listenForOthers } from '../listeners/hand-over.ts';
import type { HandshakeFailureReport } from '../listeners/handshake-problem.ts';
import type { AcceptStream, Listener, ListenerBounds, TlsDoorOptions } from '../listeners/listener-options.ts';
import { ownTicketKeys } from '../listeners/session-tickets.ts';
import { listenTcp } from '../listeners/tcp.ts';
import { listenTls } from '../listeners/tls.ts';
import type { ListenerPlan, SentCredentials } from '../workers/calls.ts';
import type { Workers } from './workers.ts';

export interface MqttListenersParts {
  readonly settings: Pick<Configuration['listeners'], 'mqttTls' | 'mqttPlain'>;
  readonly rates: ListenerBounds;
  readonly credentials: ServerCredentials;
  readonly admitCertificate: NonNullable<TlsDoorOptions['admitCertificate']>;
  readonly accept: AcceptStream;
  readonly onHandshakeFailure: HandshakeFailureReport;
  /** Who serves, if not this process. */
  readonly workers: Workers | undefined;
}

/** The open ports for MQTT over TCP, with and without TLS. */
export interface MqttListeners {
  readonly tls: Listener | undefined;
  readonly plain: Listener | undefined;
  /** Resolves when every handshake from now on has them. */
  setCredentials(credentials: ServerCredentials): Promise<void>;
  close(): Promise<void>;
}

const NAMES = { tls: 'mqtt-tls', plain: 'mqtt-plain' } as const;
/** How often it is looked whether the keys of session tickets have changed, to tell the workers. */
const LOOK_FOR_KEYS = 60_000;

export async function openMqttListeners(parts: MqttListenersParts): Promise<MqttListeners> {
  const opened: (() => unknown)[] = [];
  const close = async (): Promise<void> => {
    for (const end of opened.splice(0)) await end();
  };
  try {
    return await (parts.workers
      ? listenForWorkers(parts, parts.workers, opened, close)
      : listenHere(parts, opened, close));
  } catch (error) {
    await close();
    throw error;
  }
}

async function listenHere(
  {
    settings: { mqttTls, mqttPlain },
    rates,
    credentials,
    admitCertificate,
    accept,
    onHandshakeFailure,
  }: MqttListenersParts,
  opened: (() => unknown)[],
  close: () => Promise<void>,
): Promise<MqttListeners> {
  const both = { ...rates, accept, onHandshakeFailure };
  const tls = mqttTls.enabled
    ? await listenTls({
        name: NAMES.tls,
        ...mqttTls,
        ...both,
        credentials,
        requestCertificate: mqttTls.clientCertificates !== 'off',
        ...(mqttTls.clientCertificates === 'require' ? { admitCertificate } : {}),
      })
    : undefined;
  if (tls) opened.push(() => tls.close());
  const plain = mqttPlain.allowPlaintextListener
    ? await listenTcp({ name: NAMES.plain, ...mqttPlain, ...both })
    : undefined;
  if (plain) opened.push(() => plain.close());
  return { tls, plain, close, setCredentials: async (renewed) => tls?.setCredentials(renewed) };
}

async function listenForWorkers(
  { settings: { mqttTls, mqttPlain }, rates, onHandshakeFailure, ...parts }: MqttListenersParts,
  workers: Workers,
  opened: (() => unknown)[],
  close: () => Promise<void>,
): Promise<MqttListeners> {
  let { credentials } = parts;
  let keys = ownTicketKeys();
  let told = keys()[0];
  const plans = (): ListenerPlan[] => [
    ...(mqttTls.enabled ? [tlsPlan(mqttTls, credentials, keys())] : []),
    ...(mqttPlain.allowPlaintextListener ? [{ name: NAMES.plain, proxyAddresses: mqttPlain.proxyAddresses }] : []),
  ];
  await workers.start(plans);
  const looking = setInterval(() => {
    const now = keys();
    if (now[0] === told) return;
    [told] = now;
    workers.tell('setTicketKeys', NAMES.tls, now);
  }, LOOK_FOR_KEYS);
  looking.unref();
  opened.push(() => clearInterval(looking));
  const portOf = async (
    name: string,
    bounds: ListenerBounds & { address: string; port: number },
    portSetting: string,
  ) => {
    const listener = await listenForOthers({
      ...bounds,
      ...rates,
      name,
      portSetting,
      onHandshakeFailure,
      give: (socket, counted) => workers.give(name, socket, counted),
    });
    opened.push(() => listener.close());
    return listener;
  };
  return {
    tls: mqttTls.enabled ? await portOf(NAMES.tls, mqttTls, '--mqtt-port') : undefined,
    plain: mqttPlain.allowPlaintextListener
      ? await portOf(NAMES.plain, mqttPlain, 'listeners.mqttPlain.port')
      : undefined,
    close,
    async setCredentials(renewed) {
      credentials = renewed;
      keys = ownTicketKeys();
      const now = keys();
      [told] = now;
      workers.tell('setCredentials', NAMES.tls, sent(renewed), now);
      await workers.heard();
    },
  };
}

function tlsPlan(
  { handshakeTimeout, proxyAddresses, minimumTlsVersion, clientCertificates }: Configuration['listeners']['mqttTls'],
  credentials: ServerCredentials,
  ticketKeys: NonNullable<ListenerPlan['tls']>['ticketKeys'],
): ListenerPlan {
  return {
    name: NAMES.tls,
    handshakeTimeout,
    proxyAddresses,
    tls: {
      credentials: sent(credentials),
      minimumTlsVersion,
      ticketKeys,
      requestCertificate: clientCertificates !== 'off',
      admits: clientCertificates === 'require',
    },
  };
}

function sent({ forName: _, ...credentials }: ServerCredentials): SentCredentials {
  return credentials;
}
