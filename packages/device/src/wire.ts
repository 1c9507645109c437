import { Failure } from '@sallyport/model';
import type { MqttClient } from 'mqtt';
import { linkFailure, reasonCodeIn, refusalOf } from './link-failure.ts';
import type { LinkPublishOptions, MessageProperties } from './link-options.ts';
import type { Subscription } from './subscriptions.ts';

/** What can be asked of the MQTT library, as promises that are kept or broken with failures in our own terms. */
export class Wire {
  readonly #client: MqttClient;
  /** `host:port` */
  readonly #where: string;
  readonly #version: 4 | 5;

  constructor(client: MqttClient, where: string, version: 4 | 5) {
    this.#client = client;
    this.#where = where;
    this.#version = version;
  }

  /** Resolves once the server has accepted the client, and gives the client up otherwise. `failureOf` names what went wrong. */
  async connected(failureOf: (error: unknown) => Failure): Promise<void> {
    const client = this.#client;
    try {
      await new Promise<void>((resolve, reject) => {
        client.once('connect', () => resolve());
        client.once('error', (error) => reject(failureOf(error)));
        client.once('close', () =>
          reject(
            new Failure('connection_refused', `${this.#where} closed the connection before it answered.`, {
              cure: 'Look for the refusal with `sallyport refusals`, and check that the port is the MQTT port over TLS.',
            }),
          ),
        );
      });
    } catch (failure) {
      // The library emits late errors of a socket that is being torn down; nobody must crash by them.
      client.on('error', () => {});
      client.end(true);
      throw failure;
    }
    client.removeAllListeners('error');
  }

  /**
   * Resolves when the server owns the message (QoS 1 and 2) or the socket took it (QoS 0).
   *
   * @throws RefusedByServer `publish_refused`
   * @throws Failure `connection_lost`
   */
  publish(topic: string, payload: Uint8Array, { qos, properties }: LinkPublishOptions): Promise<void> {
    const along = properties === undefined || this.#version === 4 ? {} : { properties: propertiesOf(properties) };
    return new Promise<void>((resolve, reject) => {
      this.#client.publish(topic, bytesOf(payload), { qos, ...along }, (error, packet) => {
        if (!error) return resolve();
        const code = reasonCodeIn(error);
        const reason = packet !== undefined && 'properties' in packet ? packet.properties : undefined;
        if (code === undefined) return reject(linkFailure(error, this.#where));
        const what = `The server refused to publish to ${topic}`;
        reject(refusalOf('publish_refused', what, code, (reason as Reason)?.reasonString));
      });
    });
  }

  /**
   * Resolves when the server has granted the subscription, whose messages it then sends under the identifier.
   *
   * @throws RefusedByServer `subscribe_refused`
   * @throws Failure `connection_lost`
   */
  subscribe(identifier: number, { filter, qos }: Pick<Subscription, 'filter' | 'qos'>): Promise<void> {
    const properties = this.#version === 5 ? { properties: { subscriptionIdentifier: identifier } } : {};
    return new Promise<void>((resolve, reject) => {
      this.#client.subscribe(filter, { qos, ...properties }, (error, granted, packet) => {
        const code = packet?.granted.find((each) => Number(each) >= 0x80);
        if (!error && code === undefined) return resolve();
        if (code === undefined) return reject(linkFailure(error, this.#where));
        const reason = (packet?.properties as Reason)?.reasonString;
        const what = `The server refused the subscription to ${granted?.[0]?.topic ?? filter}`;
        reject(refusalOf('subscribe_refused', what, Number(code), reason));
      });
    });
  }
}

type Reason = { readonly reasonString?: string } | undefined;

function propertiesOf({ responseTopic, correlationData }: MessageProperties) {
  return {
    ...(responseTopic === undefined ? {} : { responseTopic }),
    ...(correlationData === undefined ? {} : { correlationData: bytesOf(correlationData) }),
  };
}

/** Bytes as the types of the MQTT library want them; it writes any, and a browser has no others. */
function bytesOf(bytes: Uint8Array): Buffer {
  return typeof Buffer === 'undefined' ? (bytes as Buffer) : Buffer.from(bytes);
}
