import fc from 'fast-check';
import type { Packet, ProtocolVersion, Sender } from '../src/packets.ts';
import { PLACES, PROPERTY_TABLE, type Properties, type PropertyRow } from '../src/properties.ts';

const text = fc.string({ unit: 'binary', maxLength: 12 }).filter((value) => !value.includes('\0'));
const topic = text.filter((value) => value !== '' && !/[+#]/.test(value));
const bytes = fc.uint8Array({ maxLength: 40 }).map((value) => Buffer.from(value));
const packetId = fc.integer({ min: 1, max: 0xffff });
const qos = fc.constantFrom(0 as const, 1 as const, 2 as const);

const level = fc.oneof(
  text.map((value) => value.replaceAll(/[+#/]/g, '')),
  fc.constant('+'),
);
const plainFilter = fc
  .tuple(fc.array(level, { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([levels, all]) => [...levels, ...(all ? ['#'] : [])].join('/'))
  .filter((filter) => filter !== '' && !filter.startsWith('$share/'));
const sharedFilter = fc
  .tuple(
    text.map((value) => value.replaceAll(/[+#/]/g, '')).filter((name) => name !== ''),
    plainFilter,
  )
  .map(([name, filter]) => `$share/${name}/${filter}`);

function arbitraryValue(row: PropertyRow, packetType: string): fc.Arbitrary<unknown> {
  const least = row.positive ? 1 : 0;
  switch (row.kind) {
    case 'bit':
      return fc.constantFrom(0, 1);
    case 'flag':
      return fc.boolean();
    case 'two':
      return fc.integer({ min: least, max: 0xffff });
    case 'four':
      return fc.integer({ min: least, max: 0xffff_ffff });
    case 'variable':
      return fc.array(fc.integer({ min: 1, max: 268_435_455 }), {
        minLength: 1,
        maxLength: packetType === 'publish' ? 3 : 1,
      });
    case 'string':
      return text;
    case 'topic':
      return topic;
    case 'binary':
      return bytes;
    case 'pair':
      return fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 3 });
  }
}

function propertiesOf(place: number, packetType: string, version: ProtocolVersion): fc.Arbitrary<object> {
  if (version < 5) return fc.constant({});
  const rows = PROPERTY_TABLE.filter((row) => (row.places & place) !== 0);
  const record = fc.record(Object.fromEntries(rows.map((row) => [row.name, arbitraryValue(row, packetType)])), {
    requiredKeys: [],
  }) as fc.Arbitrary<Properties>;
  return record.map(({ authenticationData, ...rest }) => {
    const properties =
      authenticationData && rest.authenticationMethod !== undefined ? { ...rest, authenticationData } : rest;
    return Object.keys(properties).length > 0 ? { properties } : {};
  });
}

function optional<T>(name: string, value: fc.Arbitrary<T>): fc.Arbitrary<object> {
  return fc.option(value, { nil: undefined }).map((given) => (given === undefined ? {} : { [name]: given }));
}

/** All parts side by side as one packet. */
function merged(...parts: fc.Arbitrary<object>[]): fc.Arbitrary<Packet> {
  return fc.tuple(...parts).map((objects) => Object.assign({}, ...objects) as Packet);
}

function codes(version: ProtocolVersion, ...all: number[]): fc.Arbitrary<number> {
  return version === 5 ? fc.constantFrom(...all) : fc.constant(0);
}

export function arbitraryConnect(version: ProtocolVersion): fc.Arbitrary<Packet> {
  const will = merged(
    fc.record({ topic, payload: bytes, qos, retain: fc.boolean() }),
    propertiesOf(PLACES.will, 'connect', version),
  );
  const credentials =
    version === 5
      ? fc.tuple(optional('username', text), optional('password', bytes)).map(([one, two]) => ({ ...one, ...two }))
      : fc.oneof(
          fc.constant({}),
          fc.tuple(text, optional('password', bytes)).map(([username, rest]) => ({ username, ...rest })),
        );
  const client = fc
    .record({ cleanStart: fc.boolean(), clientId: text })
    .filter(({ cleanStart, clientId }) => version !== 4 || cleanStart || clientId !== '');
  return merged(
    fc.constant({ type: 'connect', protocolVersion: version }),
    client,
    fc.record({ keepAlive: fc.integer({ min: 0, max: 0xffff }) }),
    optional('will', will),
    credentials,
    propertiesOf(PLACES.connect, 'connect', version),
  );
}

export function arbitraryPublish(version: ProtocolVersion, sender: Sender): fc.Arbitrary<Packet> {
  const place = sender === 'client' ? PLACES.publishFromClient : PLACES.publishFromServer;
  const delivery = qos.chain<object>((level) =>
    level === 0
      ? fc.constant({ qos: 0, dup: false })
      : fc.record({ qos: fc.constant(level), dup: fc.boolean(), packetId }),
  );
  return merged(
    fc.record({ type: fc.constant('publish'), topic, payload: bytes, retain: fc.boolean() }),
    delivery,
    propertiesOf(place, 'publish', version),
  );
}

function acknowledgement(type: 'puback' | 'pubrec' | 'pubrel' | 'pubcomp', version: ProtocolVersion) {
  const reasonCode =
    type === 'puback' || type === 'pubrec' ? codes(version, 0, 0x10, 0x80, 0x97) : codes(version, 0, 0x92);
  return merged(
    fc.record({ type: fc.constant(type), packetId, reasonCode }),
    propertiesOf(PLACES[type], type, version),
  );
}

function subscribe(version: ProtocolVersion): fc.Arbitrary<Packet> {
  const plain =
    version === 5
      ? fc.record({
          filter: plainFilter,
          qos,
          noLocal: fc.boolean(),
          retainAsPublished: fc.boolean(),
          retainHandling: fc.constantFrom(0, 1, 2),
        })
      : fc.record({
          filter: plainFilter,
          qos,
          noLocal: fc.constant(false),
          retainAsPublished: fc.constant(false),
          retainHandling: fc.constant(0),
        });
  const shared = fc.tuple(plain, sharedFilter).map(([rest, filter]) => ({ ...rest, filter, noLocal: false }));
  const subscription = version === 5 ? fc.oneof(plain, shared) : plain;
  return merged(
    fc.record({ type: fc.constant('subscribe'), packetId }),
    fc.record({ subscriptions: fc.array(subscription, { minLength: 1, maxLength: 4 }) }),
    propertiesOf(PLACES.subscribe, 'subscribe', version),
  );
}

/** Any packet but CONNECT that a client may send. */
export function arbitraryFromClient(version: ProtocolVersion): fc.Arbitrary<Packet> {
  const filter = version === 5 ? fc.oneof(plainFilter, sharedFilter) : plainFilter;
  return fc.oneof(
    { weight: 4, arbitrary: arbitraryPublish(version, 'client') },
    acknowledgement('puback', version),
    acknowledgement('pubrec', version),
    acknowledgement('pubrel', version),
    acknowledgement('pubcomp', version),
    subscribe(version),
    merged(
      fc.record({ type: fc.constant('unsubscribe'), packetId }),
      fc.record({ filters: fc.array(filter, { minLength: 1, maxLength: 4 }) }),
      propertiesOf(PLACES.unsubscribe, 'unsubscribe', version),
    ),
    fc.constant<Packet>({ type: 'pingreq' }),
    merged(
      fc.record({ type: fc.constant('disconnect'), reasonCode: codes(version, 0, 0x04, 0x81) }),
      propertiesOf(PLACES.disconnectFromClient, 'disconnect', version),
    ),
    ...(version === 5 ? [auth(0x18, 0x19)] : []),
  );
}

/** Any packet that a server may send. */
export function arbitraryFromServer(version: ProtocolVersion): fc.Arbitrary<Packet> {
  const refusal = version === 5 ? fc.constantFrom(0x81, 0x87, 0x9f) : fc.integer({ min: 1, max: 5 });
  const granted = version === 5 ? fc.constantFrom(0, 1, 2, 0x80, 0x8f) : fc.constantFrom(0, 1, 2, 0x80);
  return fc.oneof(
    { weight: 4, arbitrary: arbitraryPublish(version, 'server') },
    merged(
      fc.oneof(
        fc.record({ sessionPresent: version > 3 ? fc.boolean() : fc.constant(false), reasonCode: fc.constant(0) }),
        fc.record({ sessionPresent: fc.constant(false), reasonCode: refusal }),
      ),
      fc.constant({ type: 'connack' }),
      propertiesOf(PLACES.connack, 'connack', version),
    ),
    acknowledgement('puback', version),
    acknowledgement('pubrec', version),
    acknowledgement('pubrel', version),
    acknowledgement('pubcomp', version),
    merged(
      fc.record({ type: fc.constant('suback'), packetId, reasonCodes: fc.array(granted, { minLength: 1 }) }),
      propertiesOf(PLACES.suback, 'suback', version),
    ),
    merged(
      fc.record({
        type: fc.constant('unsuback'),
        packetId,
        reasonCodes:
          version === 5 ? fc.array(fc.constantFrom(0, 0x11, 0x87), { minLength: 1 }) : fc.constant([] as number[]),
      }),
      propertiesOf(PLACES.unsuback, 'unsuback', version),
    ),
    fc.constant<Packet>({ type: 'pingresp' }),
    ...(version === 5
      ? [
          auth(0x18),
          merged(
            fc.record({ type: fc.constant('disconnect'), reasonCode: fc.constantFrom(0, 0x82, 0x8e) }),
            propertiesOf(PLACES.disconnectFromServer, 'disconnect', version),
          ),
        ]
      : []),
  );
}

function auth(...reasonCodes: number[]): fc.Arbitrary<Packet> {
  return fc
    .record({ reasonCode: fc.constantFrom(...reasonCodes), method: text, data: bytes })
    .map(({ reasonCode, method, data }) => ({
      type: 'auth',
      reasonCode,
      properties: { authenticationMethod: method, authenticationData: data },
    }));
}

export const VERSIONS: readonly ProtocolVersion[] = [3, 4, 5];
