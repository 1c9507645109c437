import { encode, type Publish } from '@sallyport/mqtt';
import { describe, expect, it } from 'vitest';
import { type Client, Stage, settled } from './harness.ts';

/** Everything that the broker writes to the client from now on. */
function listenTo(client: Client): () => Buffer {
  const chunks: Buffer[] = [];
  const write = client.write.bind(client);
  client.write = (bytes) => {
    chunks.push(Buffer.from(bytes));
    return write(bytes);
  };
  return () => Buffer.concat(chunks.splice(0));
}

function message(extra: Partial<Publish> = {}): Publish {
  return { type: 'publish', topic: 'a/b', payload: Buffer.from('21'), qos: 0, retain: false, dup: false, ...extra };
}

describe('a QoS 0 message', () => {
  for (const from of [3, 4, 5] as const) {
    for (const to of [3, 4, 5] as const) {
      it(`of level ${from} is written to level ${to} as if it had been made for it, with any retain flag`, async () => {
        const stage = new Stage();
        const sender = await stage.connect('sender', { protocolVersion: from });
        const receiver = await stage.connect('receiver', { protocolVersion: to });
        const heard = listenTo(receiver);
        for (const asPublished of to === 5 ? [false, true] : [false]) {
          await receiver.subscribed('a/+', to === 5 ? { retainAsPublished: asPublished, retainHandling: 2 } : {});
          for (const retain of [false, true]) {
            heard();
            sender.send(message({ retain }));
            await settled();
            expect(heard()).toEqual(encode(message({ retain: retain && asPublished }), to));
            receiver.packets = [];
          }
        }
      });
    }
  }

  it('is written anew where the sender has padded its length, named an alias or set a property', async () => {
    const stage = new Stage();
    const old = await stage.connect('old', { protocolVersion: 4 });
    const fresh = await stage.connect('fresh', { protocolVersion: 5 });
    const receivers = [
      await stage.connect('receiver-4', { protocolVersion: 4 }),
      await stage.connect('receiver-5', { protocolVersion: 5 }),
    ];
    for (const receiver of receivers) await receiver.subscribed('a/+');
    const heard = receivers.map(listenTo);
    const plain = [encode(message(), 4), encode(message(), 5)];
    const said = () => heard.map((bytes) => bytes());

    const packet = encode(message(), 4);
    old.raw(Buffer.concat([Buffer.from([packet[0]!, packet[1]! | 0x80, 0]), packet.subarray(2)]));
    await settled();
    expect(said()).toEqual(plain);
    fresh.send(message({ properties: { topicAlias: 1 } }), message({ topic: '', properties: { topicAlias: 1 } }));
    await settled();
    expect(said()).toEqual(plain.map((bytes) => Buffer.concat([bytes, bytes])));
    const contentType = { contentType: 'text/plain' };
    fresh.send(message({ properties: contentType }));
    await settled();
    expect(said()).toEqual([plain[0], encode(message({ properties: contentType }), 5)]);
  });

  it('gets the identifier of the subscription and the short name of the topic where they are due', async () => {
    const stage = new Stage();
    const sender = await stage.connect('sender');
    const receiver = await stage.connect('receiver');
    const device = await stage.connect('d:demo:pump:7', { protocolVersion: 4 });
    receiver.subscribe('iot-2/#', {}, 9);
    device.subscribe('iot-2/cmd/+/fmt/json');
    await settled();
    const [toReceiver, toDevice] = [listenTo(receiver), listenTo(device)];
    const topic = 'iot-2/type/pump/id/7/cmd/start/fmt/json';
    sender.send(message({ topic }));
    await settled();
    expect(toReceiver()).toEqual(encode(message({ topic, properties: { subscriptionIdentifiers: [9] } }), 5));
    expect(toDevice()).toEqual(encode(message({ topic: 'iot-2/cmd/start/fmt/json' }), 4));
  });
});
