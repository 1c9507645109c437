import { ByteWriter } from './byte-writer.ts';
import { EncodeError } from './encode-error.ts';
import type { PacketType, ProtocolVersion } from './packets.ts';
import { PLACES, PROPERTY_TABLE, type Properties, type PropertyRow } from './properties.ts';

/**
 * Encodes the properties of a PUBLISH without their length, as `writePublish` takes them. Throws EncodeError for a
 * property that a PUBLISH cannot carry.
 */
export function encodePublishProperties(properties: Properties): Buffer {
  const writer = new ByteWriter(64);
  writeEach(writer, properties, PLACES.publishFromClient | PLACES.publishFromServer, 'publish');
  return writer.body();
}

/** Writes the property length and the properties. Below MQTT 5 there are none, and to be given some is an error. */
export function writeProperties(
  writer: ByteWriter,
  properties: Properties | undefined,
  places: number,
  packetType: PacketType,
  version: ProtocolVersion,
): void {
  if (version < 5) {
    if (!hasProperties(properties)) return;
    throw new EncodeError(`${packetType.toUpperCase()} has no properties below MQTT 5`);
  }
  if (!hasProperties(properties)) {
    writer.byte(0, 'property length');
    return;
  }
  const body = new ByteWriter(64);
  writeEach(body, properties, places, packetType);
  const encoded = body.body();
  writer.variable(encoded.length, 'property length');
  writer.raw(encoded);
}

/** Whether there is a property to send. */
export function hasProperties(properties: Properties | undefined): properties is Properties {
  if (properties === undefined) return false;
  for (const value of Object.values(properties)) {
    if (value !== undefined && !(Array.isArray(value) && value.length === 0)) return true;
  }
  return false;
}

function writeEach(writer: ByteWriter, properties: Properties, places: number, packetType: PacketType): void {
  for (const row of PROPERTY_TABLE) {
    const value = properties[row.name];
    if (value === undefined || (Array.isArray(value) && value.length === 0)) continue;
    if ((row.places & places) === 0)
      throw new EncodeError(`${row.name} does not belong in ${packetType.toUpperCase()}`);
    writeRow(writer, row, value, packetType);
  }
  if (properties.authenticationData !== undefined && properties.authenticationMethod === undefined) {
    throw new EncodeError('authenticationData needs authenticationMethod');
  }
}

function writeRow(writer: ByteWriter, row: PropertyRow, value: unknown, packetType: PacketType): void {
  if (row.kind === 'pair') {
    for (const [name, text] of value as readonly (readonly [string, string])[]) {
      writer.byte(row.identifier, row.name);
      writer.string(name, row.name);
      writer.string(text, row.name);
    }
    return;
  }
  if (row.kind === 'variable') {
    const identifiers = value as readonly number[];
    if (packetType === 'subscribe' && identifiers.length > 1) {
      throw new EncodeError('SUBSCRIBE carries one subscription identifier');
    }
    for (const identifier of identifiers) {
      refuseZero(row, identifier);
      writer.byte(row.identifier, row.name);
      writer.variable(identifier, row.name);
    }
    return;
  }
  writer.byte(row.identifier, row.name);
  writeValue(writer, row, value);
}

function writeValue(writer: ByteWriter, row: PropertyRow, value: unknown): void {
  refuseZero(row, value);
  switch (row.kind) {
    case 'bit':
      if (value !== 0 && value !== 1) throw new EncodeError(`${row.name} is neither 0 nor 1`);
      writer.byte(value, row.name);
      return;
    case 'flag':
      writer.byte(value === true ? 1 : 0, row.name);
      return;
    case 'two':
      writer.two(value as number, row.name);
      return;
    case 'four':
      writer.four(value as number, row.name);
      return;
    case 'string':
      writer.string(value as string, row.name);
      return;
    case 'topic':
      writer.topicName(value as string, row.name);
      return;
    case 'binary':
      writer.binary(value as Uint8Array, row.name);
      return;
    case 'pair':
    case 'variable':
      throw new EncodeError(`${row.name} may stand several times and is written by its list`);
  }
}

function refuseZero(row: PropertyRow, value: unknown): void {
  if (row.positive && value === 0) throw new EncodeError(`${row.name} may not be 0`);
}
