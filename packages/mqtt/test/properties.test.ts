import { describe, expect, test } from 'vitest';
import { ByteWriter } from '../src/byte-writer.ts';
import { checkProperties } from '../src/decode-properties.ts';
import { encodePublishProperties, writeProperties } from '../src/encode-properties.ts';
import { EncodeError } from '../src/index.ts';
import { PLACES, PROPERTY_TABLE, type PropertyRow } from '../src/properties.ts';

/** A value of each kind, good anywhere. */
const GOOD: Record<PropertyRow['kind'], number[]> = {
  bit: [1],
  flag: [1],
  two: [0, 1],
  four: [0, 0, 0, 1],
  variable: [1],
  string: [0, 1, 0x61],
  topic: [0, 1, 0x61],
  binary: [0, 1, 0xff],
  pair: [0, 1, 0x61, 0, 1, 0x62],
};

/** MQTT 5 table 2-4, as it stands in the specification; AUTH and will added by their letters. */
const TABLE_2_4: Record<number, string> = {
  1: 'publish will',
  2: 'publish will',
  3: 'publish will',
  8: 'publish will',
  9: 'publish will',
  11: 'publishFromServer subscribe',
  17: 'connect connack disconnectFromClient',
  18: 'connack',
  19: 'connack',
  21: 'connect connack auth',
  22: 'connect connack auth',
  23: 'connect',
  24: 'will',
  25: 'connect',
  26: 'connack',
  28: 'connack disconnectFromServer',
  31: 'connack puback pubrec pubrel pubcomp suback unsuback disconnectFromClient disconnectFromServer auth',
  33: 'connect connack',
  34: 'connect connack',
  35: 'publish',
  36: 'connack',
  37: 'connack',
  38: 'connect connack publish will puback pubrec pubrel pubcomp subscribe suback unsubscribe unsuback disconnectFromClient disconnectFromServer auth',
  39: 'connect connack',
  40: 'connack',
  41: 'connack',
  42: 'connack',
};

function check(place: keyof typeof PLACES, bytes: number[], type: 'publish' | 'connect' | 'connack' = 'connect') {
  return checkProperties(Uint8Array.from(bytes), 0, bytes.length, PLACES[place], type, undefined);
}

describe('property table', () => {
  test('has the 27 properties of MQTT 5', () => {
    expect(PROPERTY_TABLE.map((row) => row.identifier)).toEqual(Object.keys(TABLE_2_4).map(Number));
  });

  test.each(PROPERTY_TABLE)('$name stands only where table 2-4 allows', (row) => {
    const allowed = TABLE_2_4[row.identifier]!.replace(/publish(?!F)/, 'publishFromClient publishFromServer').split(
      ' ',
    );
    // Authentication data must not stand alone.
    const companion = row.name === 'authenticationData' ? [0x15, 0, 1, 0x6d] : [];
    for (const place of Object.keys(PLACES) as (keyof typeof PLACES)[]) {
      const failure = check(place, [row.identifier, ...GOOD[row.kind]].concat(companion));
      if (allowed.includes(place)) expect([place, failure]).toEqual([place, undefined]);
      else expect([place, failure?.code]).toEqual([place, 'malformed_packet']);
    }
  });

  test.each(PROPERTY_TABLE)('$name comes once, unless the specification says otherwise', (row) => {
    const [place] = Object.entries(PLACES).find(([, bit]) => (row.places & bit) !== 0)!;
    const once = [row.identifier, ...GOOD[row.kind]];
    const method = row.name === 'authenticationData' ? [0x15, 0, 1, 0x6d] : [];
    const failure = check(place as keyof typeof PLACES, [...method, ...once, ...once], 'publish');
    if (row.kind === 'pair' || row.kind === 'variable') expect(failure).toBeUndefined();
    else expect(failure).toMatchObject({ code: 'protocol_error', reasonCode: 0x82 });
  });

  test.each(PROPERTY_TABLE)('$name cut short is malformed', (row) => {
    const [place] = Object.entries(PLACES).find(([, bit]) => (row.places & bit) !== 0)!;
    const whole = [row.identifier, ...GOOD[row.kind]];
    for (let length = 1; length < whole.length; length++) {
      expect(check(place as keyof typeof PLACES, whole.slice(0, length))?.code).toBe('malformed_packet');
    }
  });

  test.each(PROPERTY_TABLE.filter((row) => row.positive))('$name 0 is a protocol error', (row) => {
    const [place] = Object.entries(PLACES).find(([, bit]) => (row.places & bit) !== 0)!;
    const zero = GOOD[row.kind].map(() => 0);
    expect(check(place as keyof typeof PLACES, [row.identifier, ...zero])?.code).toBe('protocol_error');
  });

  test.each(PROPERTY_TABLE.filter((row) => row.kind === 'flag' || row.kind === 'bit'))('$name is 0 or 1', (row) => {
    const [place] = Object.entries(PLACES).find(([, bit]) => (row.places & bit) !== 0)!;
    expect(check(place as keyof typeof PLACES, [row.identifier, 0])).toBeUndefined();
    expect(check(place as keyof typeof PLACES, [row.identifier, 2])?.code).toBe('protocol_error');
  });

  test.each([0x00, 0x04, 0x2b, 0x7f, 0x80, 0xff])('identifier %i does not exist', (identifier) => {
    expect(check('connect', [identifier, 0, 0])).toMatchObject({ code: 'malformed_packet' });
  });

  test('authentication data needs an authentication method', () => {
    expect(check('connect', [0x16, 0, 0])).toMatchObject({ code: 'protocol_error' });
  });

  test('MQTT-1.5.4-1, MQTT-1.5.4-2: strings in properties are UTF-8 without U+0000', () => {
    expect(check('connack', [0x1f, 0, 1, 0xff], 'connack')?.statement).toBe('MQTT-1.5.4-1');
    expect(check('connack', [0x1f, 0, 1, 0x00], 'connack')?.statement).toBe('MQTT-1.5.4-2');
    expect(check('connect', [0x26, 0, 1, 0x61, 0, 1, 0x00])?.statement).toBe('MQTT-1.5.4-2');
  });

  test('MQTT-1.5.5-1: integers take the fewest bytes', () => {
    expect(check('subscribe', [0x0b, 0x81, 0x00])?.statement).toBe('MQTT-1.5.5-1');
  });
});

describe('encoding', () => {
  test('refuses a property where it does not belong', () => {
    expect(() => encodePublishProperties({ sessionExpiryInterval: 1 })).toThrow(EncodeError);
  });

  test('refuses values that the wire cannot carry', () => {
    for (const properties of [
      { topicAlias: 0 },
      { topicAlias: 65_536 },
      { messageExpiryInterval: 1.5 },
      { messageExpiryInterval: -1 },
      { payloadFormatIndicator: 2 },
      { responseTopic: 'a/#' },
      { responseTopic: '' },
      { contentType: '\uD800' },
      { contentType: 'a\0' },
      { contentType: 'x'.repeat(65_536) },
      { correlationData: new Uint8Array(65_536) },
      { subscriptionIdentifiers: [0] },
      { subscriptionIdentifiers: [268_435_456] },
      { userProperties: [['a\0', 'b']] as const },
    ]) {
      expect(() => encodePublishProperties(properties), JSON.stringify(properties).slice(0, 60)).toThrow(EncodeError);
    }
  });

  test('MQTT-2.2.2-1: no properties are a length of 0, and nothing below 5', () => {
    for (const properties of [undefined, {}, { userProperties: [] }]) {
      const writer = new ByteWriter(8);
      writeProperties(writer, properties, PLACES.connect, 'connect', 5);
      expect([...writer.body()]).toEqual([0]);
    }
    const writer = new ByteWriter(8);
    writeProperties(writer, undefined, PLACES.connect, 'connect', 4);
    expect(writer.body()).toHaveLength(0);
    expect(() => writeProperties(writer, { receiveMaximum: 1 }, PLACES.connect, 'connect', 4)).toThrow(EncodeError);
  });
});
