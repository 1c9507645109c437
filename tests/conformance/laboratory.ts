import type { ConnAck, ProtocolVersion, Publish, Subscribe } from '@sallyport/mqtt';
import { identity, LABORATORY, type Login, RawClient } from '../attacks/raw-client.ts';
import { type TestServer, testServer } from '../server.ts';

/** A server whose organisation lets the application `lab` do everything with any client id, on TLS and without. */
export async function laboratory(overrides: Readonly<Record<string, unknown>> = {}): Promise<TestServer> {
  const server = await testServer({
    'listeners.mqttPlain.allowPlaintextListener': true,
    'limits.maximumConnectRatePerAddress': 100_000,
    'limits.maximumTakeoverRate': 1000,
    'limits.applications.maximumConnectRate': 100_000,
    'limits.applications.maximumMessageRate': 1_000_000,
    ...overrides,
  });
  const { organisations, policies } = server.server.registry;
  await organisations.update({ id: 'demo', security: 'tls-optional', by: 'system' });
  await policies.put({ organisation: 'demo', text: LABORATORY, by: 'system' });
  return server;
}

export interface Joined {
  readonly client: RawClient;
  readonly welcome: ConnAck;
}

/** Connects as `lab` without TLS and answers the CONNACK too, whatever it says. */
export async function join(
  server: TestServer,
  clientId: string,
  login: Login = {},
  version: ProtocolVersion = 5,
): Promise<Joined> {
  const client = await RawClient.dial(server, version, true);
  const welcome = await client.connect({ ...identity(server, 'lab'), clientId, ...login });
  return { client, welcome };
}

/** A client that is in. */
export async function enter(
  server: TestServer,
  clientId: string,
  login: Login = {},
  version: ProtocolVersion = 5,
): Promise<RawClient> {
  const { client, welcome } = await join(server, clientId, login, version);
  if (welcome.reasonCode !== 0) throw new Error(`${clientId} was refused with ${welcome.reasonCode}`);
  return client;
}

/** A login that keeps its session. */
export const KEPT: Login = { cleanStart: false, properties: { sessionExpiryInterval: 3600 } };
export const KEPT_BELOW_5: Login = { cleanStart: false };

export function keptIn(version: ProtocolVersion): Login {
  return version === 5 ? KEPT : KEPT_BELOW_5;
}

/** Says goodbye and waits until the connection has ended. */
export async function leave(client: RawClient): Promise<void> {
  client.send({ type: 'disconnect', reasonCode: 0 });
  await client.gone;
}

/** Publishes at QoS 1 or 2 to the end of the handshake. */
export async function publishWhole(client: RawClient, topic: string, payload: string, qos: 1 | 2, packetId = 1) {
  client.publish(topic, payload, { qos, packetId });
  if (qos === 1) {
    await client.take('puback');
    return;
  }
  await client.take('pubrec');
  client.send({ type: 'pubrel', packetId, reasonCode: 0 });
  await client.take('pubcomp');
}

/** The next message, acknowledged to the end of the handshake. */
export async function receiveWhole(client: RawClient): Promise<Publish> {
  const message = await client.take('publish');
  if (message.qos === 1) client.send({ type: 'puback', packetId: message.packetId!, reasonCode: 0 });
  if (message.qos === 2) {
    client.send({ type: 'pubrec', packetId: message.packetId!, reasonCode: 0 });
    await client.take('pubrel');
    client.send({ type: 'pubcomp', packetId: message.packetId!, reasonCode: 0 });
  }
  return message;
}

export function textOf({ payload }: Pick<Publish, 'payload'>): string {
  return Buffer.from(payload).toString();
}

type Line = Partial<Subscribe['subscriptions'][number]> & { readonly filter: string };

/** SUBSCRIBE with several filters and an identifier; answers the codes of SUBACK. */
export async function subscribeAll(
  client: RawClient,
  lines: readonly Line[],
  { identifier, packetId = 7 }: { identifier?: number; packetId?: number } = {},
): Promise<readonly number[]> {
  client.send({
    type: 'subscribe',
    packetId,
    subscriptions: lines.map((line) => ({
      qos: 0,
      noLocal: false,
      retainAsPublished: false,
      retainHandling: 0,
      ...line,
    })),
    ...(identifier === undefined ? {} : { properties: { subscriptionIdentifiers: [identifier] } }),
  });
  const answer = await client.take('suback');
  if (answer.packetId !== packetId) throw new Error(`SUBACK came for ${answer.packetId}`);
  return answer.reasonCodes;
}

/** Takes everything that is retained away again. */
export async function forgetRetained(client: RawClient, ...topics: string[]): Promise<void> {
  for (const topic of topics) client.publish(topic, '', { retain: true });
  await client.settled();
}
