import type { z } from 'zod';
import { ACCESS_TOKENS } from './access-tokens-section.ts';
import { AUTHORIZATION_SERVER_SECTION } from './authorization-server-section.ts';
import { ENROLMENT, ENROLMENT_LISTENER } from './enrolment-section.ts';
import { firmwareSection } from './firmware-section.ts';
import { GUESSING_SECTION } from './guessing-section.ts';
import { INCIDENTS_SECTION } from './incidents-section.ts';
import {
  address,
  byteRate,
  choice,
  count,
  duration,
  flag,
  hostNames,
  port,
  rate,
  section,
  size,
  text,
} from './kinds.ts';
import { LISTS_SECTION, proxyAddresses } from './lists-section.ts';
import { ORGANISATIONS_SECTION } from './organisations-section.ts';
import { REVOCATION_LISTENER, REVOCATION_SECTION } from './revocation-section.ts';
import { unlockSection } from './unlock-section.ts';
import { WORKERS } from './workers-section.ts';

/** Bounds that differ by who is connected (watson-iot.md section 2.9 has the figures of the platform that these follow). */
function sessionLimits(
  who: string,
  figures: {
    readonly sessions: number;
    readonly messages: number;
    readonly bytes: string;
    readonly connects: number;
    readonly subscriptions: number;
    readonly receive: number;
    readonly send: number;
    readonly queue: number;
    readonly queueSize: string;
  },
) {
  return section(`Bounds on ${who}, and on each of its sessions.`, {
    maximumSessions: count({
      reached: 'CONNECT is refused with 0x97 (3.1.1: 3).',
      default: figures.sessions,
      minimum: 1,
      maximum: 10_000_000,
      meaning: `Sessions of ${who}, connected and kept; beyond it CONNECT is refused.`,
    }),
    maximumMessageRate: rate({
      reached:
        'The connections of the principal are read more slowly; nothing is lost. After `limits.maximumSlowdown` 0x97.',
      default: figures.messages,
      minimum: 1,
      maximum: 10_000_000,
      meaning: `Messages that ${who} may send per second over all its connections; twice as many may come at once, then its connections are read more slowly. Subscriptions and pings count too. The platform that this follows allowed 10 to a device; here the figure is what one faulty or hostile client may take of the server.`,
    }),
    maximumByteRate: byteRate({
      reached: 'As for `maximumMessageRate`.',
      default: figures.bytes,
      minimum: '1KiB',
      maximum: '64GiB',
      meaning: `Bytes that ${who} may send per second over all its connections; beyond it they are read more slowly.`,
    }),
    maximumConnectRate: rate({
      reached: 'CONNECT waits for its turn; 0x9F (3.1.1: 3) if that is too long.',
      default: figures.connects,
      minimum: 1,
      maximum: 1_000_000,
      meaning: `Connections that ${who} may make per second; ten times as many at once. Further ones wait for their turn, and are refused if it is further away than connectTimeout.`,
    }),
    maximumSubscriptions: count({
      reached: 'SUBACK says 0x97 (3.1.1: 0x80); Watson clients of 3.1.1 are disconnected.',
      default: figures.subscriptions,
      minimum: 1,
      maximum: 100_000,
      meaning: `Subscriptions of one session of ${who}.`,
    }),
    receiveMaximum: count({
      reached: 'DISCONNECT 0x93.',
      default: figures.receive,
      minimum: 1,
      maximum: 65_535,
      meaning: 'Messages of QoS 1 and 2 from the client that may be unfinished at once.',
    }),
    maximumInflight: count({
      reached: 'Further messages wait in the queue.',
      default: figures.send,
      minimum: 1,
      maximum: 65_535,
      meaning: 'Messages of QoS 1 and 2 to the client that may be unfinished at once.',
    }),
    maximumQueuedMessages: count({
      reached: 'The oldest message is dropped, counted and told by event.',
      default: figures.queue,
      minimum: 1,
      maximum: 10_000_000,
      meaning: 'Messages of QoS 1 and 2 that wait for the client; when there are more, the oldest is dropped.',
    }),
    maximumQueuedSize: size({
      reached: 'The oldest messages are dropped, counted and told by event.',
      default: figures.queueSize,
      minimum: '64KiB',
      maximum: '64GiB',
      meaning: 'Bytes of the messages that wait for the client; when there are more, the oldest is dropped.',
    }),
  });
}

const MAXIMUM_CONNECTIONS = { default: 10_000, minimum: 1, maximum: 10_000_000, reached: 'The newcomer is closed.' };

/** Every key of the configuration: its type, default, bounds and meaning. `docs/reference/configuration.md` is generated from it. */
export const CONFIGURATION = section('The whole file.', {
  dataDirectory: text({
    default: './sallyport-data',
    type: 'path',
    meaning:
      'Folder for registry, keys and audit trail. A relative path counts from the folder of the configuration file.',
    expected: 'a path',
    fits: (value) => value.trim() !== '' && !value.includes('\u0000'),
  }),
  serverNames: hostNames({
    default: [],
    meaning:
      'Host names and addresses that the server certificate is made for, besides localhost and those of the machine.',
  }),
  listeners: section('Where clients knock.', {
    mqttTls: section('MQTT over TLS 1.2 or 1.3.', {
      enabled: flag({ default: true, meaning: 'Whether MQTT over TLS is offered.' }),
      address: address(
        'Address that MQTT over TLS listens on; name another than loopback to be reached from the network.',
      ),
      port: port({ default: 8883, meaning: 'Port of MQTT over TLS; 0 takes a free one.' }),
      minimumTlsVersion: choice({
        of: ['TLSv1.2', 'TLSv1.3'],
        default: 'TLSv1.2',
        meaning: 'Oldest TLS version that is accepted; only suites with authenticated encryption are offered.',
      }),
      clientCertificates: choice({
        of: ['request', 'require', 'off'],
        default: 'request',
        meaning:
          'Whether clients are asked for a certificate; with "require" a client without one that counts is closed before CONNECT, with "off" nobody is asked.',
      }),
      handshakeTimeout: duration({
        reached: 'The connection is closed.',
        default: '10s',
        minimum: '1s',
        maximum: '2m',
        meaning: 'Time that a client has for its TLS handshake.',
      }),
      maximumHandshakes: count({
        reached: 'The newcomer is closed.',
        default: 1000,
        minimum: 1,
        maximum: 100_000,
        meaning: 'Unfinished TLS handshakes at once; newcomers beyond it are closed.',
      }),
      maximumConnections: count({ ...MAXIMUM_CONNECTIONS, meaning: 'Connections of this listener at once.' }),
      proxyAddresses: proxyAddresses(),
    }),
    mqttPlain: section('MQTT without TLS: tokens and messages can be read and changed on the way.', {
      allowPlaintextListener: flag({
        default: false,
        meaning: 'Opens MQTT without TLS. Unsafe outside a laboratory; announced at every start.',
      }),
      address: address('Address that MQTT without TLS listens on.'),
      port: port({ default: 1883, meaning: 'Port of MQTT without TLS; 0 takes a free one.' }),
      maximumConnections: count({ ...MAXIMUM_CONNECTIONS, meaning: 'Connections of this listener at once.' }),
      proxyAddresses: proxyAddresses(),
    }),
    http: section('HTTPS: the API, and MQTT over WebSocket.', {
      address: address('Address that HTTPS listens on; name another than loopback to be reached from the network.'),
      port: port({ default: 8443, meaning: 'Port of HTTPS; 0 takes a free one.' }),
      websocket: flag({ default: true, meaning: 'Whether MQTT over WebSocket is offered.' }),
      websocketPath: text({
        default: '/mqtt',
        type: 'path of a URL',
        meaning: 'Path at which MQTT over WebSocket is offered.',
        expected: 'a path that begins with "/", is not "/" alone and is not below /api or /oauth, such as /mqtt',
        fits: (value) => /^(\/[A-Za-z0-9._~-]{1,64}){1,8}$/.test(value) && !/^\/(api|oauth)(\/|$)/.test(value),
      }),
      maximumConnections: count({
        ...MAXIMUM_CONNECTIONS,
        meaning: 'MQTT connections over WebSocket at once.',
      }),
      proxyAddresses: proxyAddresses(),
    }),
    revocationHttp: REVOCATION_LISTENER,
    enrolment: ENROLMENT_LISTENER,
  }),
  limits: section('Bounds on what clients may take. Each has a default that is safe for strangers.', {
    maximumConnections: count({
      reached: 'The newcomer is closed.',
      default: 100_000,
      minimum: 1,
      maximum: 10_000_000,
      meaning: 'MQTT connections of all listeners together.',
    }),
    maximumConnectRate: rate({
      reached: 'The newcomer is closed.',
      default: 'unlimited',
      minimum: 1,
      maximum: 1_000_000,
      meaning:
        'New connections per second of each MQTT listener; twice as many at once, further ones are closed. By default the bound on unfinished handshakes is enough.',
    }),
    maximumConnectRatePerAddress: rate({
      reached: 'The newcomer is closed before a handshake.',
      default: 50,
      minimum: 1,
      maximum: 1_000_000,
      meaning:
        'New connections per second from one address (IPv6: one /64 network) to each MQTT listener; four times as many at once, further ones are closed before a handshake.',
    }),
    boundLoopback: flag({
      default: false,
      meaning:
        'Whether the bounds for each address hold for connections from this machine too; leave it off where a proxy or tunnel brings in many clients.',
    }),
    maximumTakeoverRate: rate({
      reached: 'CONNECT waits for its turn; 0x9F (3.1.1: 3) if that is too long.',
      default: 1,
      minimum: 1,
      maximum: 1_000_000,
      meaning:
        'How often per second connections with the same client id may push each other out; ten times as often at once. Further ones wait for their turn, and are refused if it is further away than connectTimeout.',
    }),
    maximumSlowdown: duration({
      reached: 'DISCONNECT 0x97.',
      default: '1h',
      minimum: '1s',
      maximum: '365d',
      meaning:
        'How long a connection that does not keep to its rates is slowed down without a break before it is closed.',
    }),
    maximumWillSize: size({
      reached: 'CONNECT is refused with 0x95 (3.1.1: 3).',
      default: '64KiB',
      minimum: '0B',
      maximum: '255MiB',
      meaning: 'Bytes of topic, properties and payload of a will, which is kept as long as its session.',
    }),
    connectTimeout: duration({
      reached: 'The connection is closed.',
      default: '10s',
      minimum: '1s',
      maximum: '2m',
      meaning: 'Time that a client has for its whole CONNECT packet.',
    }),
    closeTimeout: duration({
      reached: 'The connection is cut.',
      default: '5s',
      minimum: '100ms',
      maximum: '1m',
      meaning: 'Time that a peer has to take the last bytes before its connection is cut.',
    }),
    maximumPacketSize: size({
      reached: 'DISCONNECT 0x95, as soon as the size is declared; nothing is allocated for it.',
      default: '256KiB',
      minimum: '1KiB',
      maximum: '255MiB',
      meaning: 'Size of one MQTT packet with everything in it.',
    }),
    maximumPayloadSize: size({
      reached: 'DISCONNECT 0x95.',
      default: '128KiB',
      minimum: '1KiB',
      maximum: '255MiB',
      meaning: 'Size of the payload of clients with d:, g:, a: or A: client ids, as on the Watson IoT Platform.',
    }),
    keepAliveMaximum: duration({
      reached: "Server keep alive replaces the client's.",
      default: '65535s',
      minimum: '10s',
      maximum: '65535s',
      meaning: 'Longest keep alive; a longer one, or none, is replaced by it, so that dead connections end.',
    }),
    sessionExpiryMaximum: duration({
      reached: 'The session is kept for this long only.',
      default: '7d',
      minimum: '0s',
      maximum: '365d',
      meaning: 'How long a session is kept after its connection has ended.',
    }),
    maximumSessions: count({
      reached: 'CONNECT is refused with 0x97 (3.1.1: 3).',
      default: 100_000,
      minimum: 1,
      maximum: 10_000_000,
      meaning: 'Sessions of one organisation, connected and kept.',
    }),
    maximumTopicLevels: count({
      reached: 'PUBLISH and SUBSCRIBE are refused with 0x97 and 0x8F; 3.1.1 is disconnected, its SUBACK says 0x80.',
      default: 200,
      minimum: 8,
      maximum: 1024,
      meaning: 'Levels of a topic name or filter.',
    }),
    topicAliasMaximum: count({
      reached: 'DISCONNECT 0x94.',
      default: 64,
      minimum: 0,
      maximum: 65_535,
      meaning: 'Topic aliases on one connection: those that the client sets, and as many that the server sets.',
    }),
    maximumUnsentSize: size({
      reached: 'QoS 0 is dropped and counted; QoS 1 and 2 wait in the queue.',
      default: '1MiB',
      minimum: '64KiB',
      maximum: '1GiB',
      meaning:
        'Bytes that a slow client has not taken, beyond which QoS 0 is dropped and QoS 1 and 2 wait in the queue.',
    }),
    maximumUnsentSizeHard: size({
      reached: 'The connection is cut with 0x97.',
      default: '16MiB',
      minimum: '128KiB',
      maximum: '4GiB',
      meaning: 'Bytes that a slow client has not taken, beyond which its connection is cut.',
    }),
    maximumRetainedMessages: count({
      reached: 'The message is delivered and not retained, and counted.',
      default: 100_000,
      minimum: 0,
      maximum: 100_000_000,
      meaning: 'Retained messages of one organisation.',
    }),
    maximumRetainedSize: size({
      reached: 'The message is delivered and not retained, and counted.',
      default: '256MiB',
      minimum: '0B',
      maximum: '64GiB',
      meaning: 'Bytes of the retained messages of one organisation.',
    }),
    maximumInstances: count({
      reached: 'CONNECT is refused with 0x97 (3.1.1: 3).',
      default: 50,
      minimum: 1,
      maximum: 10_000,
      meaning: 'Live instances of one scalable application (client ids A:…).',
    }),
    organisations: section('Bounds on one organisation, over all its principals.', {
      maximumConnections: count({
        reached: 'CONNECT is refused with 0x97 (3.1.1: 3).',
        default: 100_000,
        minimum: 1,
        maximum: 10_000_000,
        meaning: 'Connected sessions of one organisation; beyond it CONNECT is refused.',
      }),
      maximumMessageRate: rate({
        reached: 'Whoever of the organisation sends is read more slowly.',
        default: 200_000,
        minimum: 1,
        maximum: 100_000_000,
        meaning:
          'Messages that the clients of one organisation may send per second; twice as many may come at once, then who sends is read more slowly. Lower it where organisations do not trust each other.',
      }),
      maximumByteRate: byteRate({
        reached: 'Whoever of the organisation sends is read more slowly.',
        default: '256MiB',
        minimum: '1KiB',
        maximum: '1024GiB',
        meaning:
          'Bytes that the clients of one organisation may send per second; beyond it who sends is read more slowly.',
      }),
      maximumSubscriptions: count({
        reached: 'SUBACK says 0x97 (3.1.1: 0x80).',
        default: 1_000_000,
        minimum: 1,
        maximum: 1_000_000_000,
        meaning: 'Subscriptions of all sessions of one organisation.',
      }),
    }),
    maximumPendingRegistrations: count({
      default: 128,
      minimum: 1,
      maximum: 10_000,
      meaning: 'Devices that gateways are registering at once.',
    }),
    maximumRegistrations: count({
      default: 500,
      minimum: 0,
      maximum: 1_000_000,
      meaning: 'Devices that one gateway may register by speaking for them, counted since the start of the server.',
    }),
    registrationRetry: duration({
      default: '10m',
      minimum: '1s',
      maximum: '1d',
      meaning: 'How long a device that could not be registered is refused to gateways without another attempt.',
    }),
    devices: sessionLimits('a device', {
      sessions: 10,
      messages: 1000,
      bytes: '1MiB',
      connects: 10,
      subscriptions: 50,
      receive: 100,
      send: 10,
      queue: 1000,
      queueSize: '4MiB',
    }),
    gateways: sessionLimits('a gateway', {
      sessions: 100,
      messages: 10_000,
      bytes: '16MiB',
      connects: 50,
      subscriptions: 500,
      receive: 1000,
      send: 100,
      queue: 5000,
      queueSize: '16MiB',
    }),
    applications: sessionLimits('an application', {
      sessions: 50_000,
      messages: 50_000,
      bytes: '64MiB',
      connects: 500,
      subscriptions: 500,
      receive: 2000,
      send: 100,
      queue: 50_000,
      queueSize: '64MiB',
    }),
  }),
  workers: WORKERS,
  revocation: REVOCATION_SECTION,
  lists: LISTS_SECTION,
  firmware: firmwareSection,
  authorizationServer: AUTHORIZATION_SERVER_SECTION,
  unlock: unlockSection(),
  accessTokens: ACCESS_TOKENS,
  guessing: GUESSING_SECTION,
  enrolment: ENROLMENT,
  organisations: ORGANISATIONS_SECTION,
  incidents: INCIDENTS_SECTION,
  audit: section('The trail of what has happened.', {
    retention: duration({
      default: '90d',
      minimum: '1d',
      maximum: '3650d',
      meaning: 'How long rows of the audit trail and refusals are kept.',
    }),
    maximumRows: count({
      default: 1_000_000,
      minimum: 1000,
      maximum: 100_000_000,
      meaning: 'Rows of the audit trail; the oldest go first.',
    }),
    maximumRefusals: count({
      default: 100_000,
      minimum: 1000,
      maximum: 10_000_000,
      meaning: 'Explained refusals; the oldest go first.',
    }),
  }),
  log: section('The log on standard error.', {
    level: choice({
      of: ['debug', 'info', 'warn', 'error', 'silent'],
      default: 'info',
      meaning: 'Least severity that is logged.',
    }),
  }),
});

type Frozen<T> = T extends readonly (infer E)[]
  ? readonly Frozen<E>[]
  : T extends object
    ? { readonly [K in keyof T]: Frozen<T[K]> }
    : T;

/** The configuration as the server sees it: complete, checked, frozen. Durations in milliseconds, sizes in bytes. */
export type Configuration = Frozen<z.output<typeof CONFIGURATION>>;
