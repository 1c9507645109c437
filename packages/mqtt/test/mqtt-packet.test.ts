import fc from 'fast-check';
import mqttPacket from 'mqtt-packet';
import { describe, expect, test } from 'vitest';
import { encode, type Packet, type ProtocolVersion, type Sender } from '../src/index.ts';
import type { Properties } from '../src/properties.ts';
import { arbitraryConnect, arbitraryFromClient, arbitraryFromServer, VERSIONS } from './arbitrary-packets.ts';
import { decode } from './decoding.ts';

type Theirs = Record<string, unknown>;

/** Names that the other library has for the same properties. */
const RENAMED: Record<string, string> = {
  maximumQos: 'maximumQoS',
  subscriptionIdentifierAvailable: 'subscriptionIdentifiersAvailable',
};

/** The other library's form of properties. It knows the payload format as a boolean and user properties as an object. */
function propertiesToTheirs(properties: Properties | undefined): Theirs {
  if (properties === undefined) return {};
  const theirs: Theirs = {};
  for (const [name, value] of Object.entries(properties)) {
    if (name === 'payloadFormatIndicator') theirs[name] = value === 1;
    else if (name === 'subscriptionIdentifiers') {
      const identifiers = value as number[];
      theirs.subscriptionIdentifier = identifiers.length === 1 ? identifiers[0] : identifiers;
    } else if (name === 'userProperties') {
      const pairs = Object.create(null) as Record<string, string | string[]>;
      for (const [key, text] of value as [string, string][]) {
        const existing = pairs[key];
        if (existing === undefined) pairs[key] = text;
        else pairs[key] = [existing, text].flat();
      }
      theirs[name] = pairs;
    } else theirs[RENAMED[name] ?? name] = value;
  }
  return { properties: theirs };
}

function toTheirs(packet: Packet, version: ProtocolVersion): Theirs {
  const properties = 'properties' in packet ? propertiesToTheirs(packet.properties) : {};
  const reason = (code: number) => (version === 5 ? { reasonCode: code } : {});
  switch (packet.type) {
    case 'connect': {
      const { will } = packet;
      return {
        cmd: 'connect',
        protocolId: version === 3 ? 'MQIsdp' : 'MQTT',
        protocolVersion: version,
        clean: packet.cleanStart,
        clientId: packet.clientId,
        keepalive: packet.keepAlive,
        ...(packet.username !== undefined && { username: packet.username }),
        ...(packet.password && { password: packet.password }),
        ...(will && {
          will: {
            topic: will.topic,
            payload: will.payload,
            qos: will.qos,
            retain: will.retain,
            ...propertiesToTheirs(will.properties),
          },
        }),
        ...properties,
      };
    }
    case 'connack':
      return {
        cmd: 'connack',
        sessionPresent: packet.sessionPresent,
        ...(version === 5 ? { reasonCode: packet.reasonCode } : { returnCode: packet.reasonCode }),
        ...properties,
      };
    case 'publish':
      return {
        cmd: 'publish',
        topic: packet.topic,
        payload: packet.payload,
        qos: packet.qos,
        retain: packet.retain,
        dup: packet.dup,
        ...(packet.packetId !== undefined && { messageId: packet.packetId }),
        ...properties,
      };
    case 'puback':
    case 'pubrec':
    case 'pubrel':
    case 'pubcomp':
      return { cmd: packet.type, messageId: packet.packetId, ...reason(packet.reasonCode), ...properties };
    case 'subscribe':
      return {
        cmd: 'subscribe',
        messageId: packet.packetId,
        subscriptions: packet.subscriptions.map(({ filter, qos, noLocal, retainAsPublished, retainHandling }) => ({
          topic: filter,
          qos,
          ...(version === 5 && { nl: noLocal, rap: retainAsPublished, rh: retainHandling }),
        })),
        ...properties,
      };
    case 'suback':
      return { cmd: 'suback', messageId: packet.packetId, granted: packet.reasonCodes, ...properties };
    case 'unsubscribe':
      return { cmd: 'unsubscribe', messageId: packet.packetId, unsubscriptions: packet.filters, ...properties };
    case 'unsuback':
      return {
        cmd: 'unsuback',
        messageId: packet.packetId,
        ...(version === 5 && { granted: packet.reasonCodes }),
        ...properties,
      };
    case 'pingreq':
    case 'pingresp':
      return { cmd: packet.type };
    case 'disconnect':
    case 'auth':
      return { cmd: packet.type, ...reason(packet.reasonCode), ...properties };
  }
}

/** User properties of one name come next to each other in the other library, and empty names are lost in it. */
function comparable(packet: Packet): boolean {
  const will = packet.type === 'connect' ? packet.will?.properties : undefined;
  const own = 'properties' in packet ? packet.properties : undefined;
  return [own, will].every((properties) => {
    const names = properties?.userProperties?.map(([name]) => name) ?? [];
    // Keys that look like array indexes are reordered by objects of JavaScript.
    return new Set(names).size === names.length && names.every((name) => name !== '' && !/^\d+$/.test(name));
  });
}

function packetsFrom(version: ProtocolVersion, sender: Sender): fc.Arbitrary<Packet> {
  const any =
    sender === 'server'
      ? arbitraryFromServer(version)
      : fc.oneof(
          { weight: 1, arbitrary: arbitraryConnect(version) },
          { weight: 4, arbitrary: arbitraryFromClient(version) },
        );
  return any.filter(comparable);
}

/** The other library refuses to write some of CONNECT that MQTT allows: no client id, a password without user name. */
function writtenByTheirs(packet: Packet): boolean {
  if (packet.type !== 'connect') return true;
  if (packet.password !== undefined && packet.username === undefined) return false;
  return packet.clientId !== '' || (packet.cleanStart && packet.protocolVersion > 3);
}

function parsedByTheirs(bytes: Buffer, version: ProtocolVersion): Theirs {
  const parser = mqttPacket.parser({ protocolVersion: version });
  const found: Theirs[] = [];
  const errors: Error[] = [];
  parser.on('packet', (packet) => found.push(packet as unknown as Theirs));
  parser.on('error', (error) => errors.push(error as Error));
  parser.parse(bytes);
  expect(errors).toEqual([]);
  expect(found).toHaveLength(1);
  return found[0]!;
}

describe.each(VERSIONS)('beside mqtt-packet, version %i', (version) => {
  describe.each(['client', 'server'] as const)('from a %s', (sender) => {
    test('it generates, and we decode the same packet', () => {
      fc.assert(
        fc.property(packetsFrom(version, sender).filter(writtenByTheirs), (packet) => {
          const bytes = mqttPacket.generate(toTheirs(packet, version) as unknown as mqttPacket.Packet, {
            protocolVersion: version,
          });
          const { packets, failure } = decode([bytes], { from: sender, version });
          expect(failure).toBeUndefined();
          expect(packets).toEqual([packet]);
        }),
        { numRuns: 300 },
      );
    });

    test('we encode, and it parses the same packet', () => {
      fc.assert(
        fc.property(packetsFrom(version, sender), (packet) => {
          const parsed = parsedByTheirs(encode(packet, version), version);
          expect(parsed).toMatchObject(toTheirs(packet, version));
        }),
        { numRuns: 300 },
      );
    });
  });
});
