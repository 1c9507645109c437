import { Decoder, type PublishFrame, Slab, writePublish } from '@sallyport/mqtt';
import mqttPacket from 'mqtt-packet';

/** Nanoseconds of processor time for one packet, median of the rounds. */
export interface CodecRow {
  readonly workload: string;
  readonly sallyport: number;
  readonly mqttPacket: number;
  /** How many times faster than `mqtt-packet`. */
  readonly ratio: number;
}

export interface CodecResult {
  readonly node: string;
  readonly rounds: number;
  readonly rows: readonly CodecRow[];
}

interface Shape {
  readonly name: string;
  readonly version: 4 | 5;
  readonly qos: 0 | 1;
  readonly payloadBytes: number;
  readonly properties: boolean;
}

const TOPIC = 'iot-2/type/pump/id/pump-7/evt/status/fmt/json';
const SHAPES: readonly Shape[] = [
  { name: '3.1.1 QoS 0, 100-byte payload', version: 4, qos: 0, payloadBytes: 100, properties: false },
  { name: '3.1.1 QoS 1, 100-byte payload', version: 4, qos: 1, payloadBytes: 100, properties: false },
  { name: '5 QoS 1, 100-byte payload', version: 5, qos: 1, payloadBytes: 100, properties: false },
  { name: '5 QoS 1, 100 bytes, 3 properties', version: 5, qos: 1, payloadBytes: 100, properties: true },
  { name: '3.1.1 QoS 0, 4096-byte payload', version: 4, qos: 0, payloadBytes: 4096, properties: false },
];

/** Bytes of a read from a socket. */
const CHUNK_BYTES = 65_536;
const ROUNDS = 7;

/**
 * Measures decoding and encoding of PUBLISH beside `mqtt-packet`, and prints a table. `seconds` is for the whole run,
 * 10 unless told. Both sides get the same bytes, in chunks as a busy socket gives them.
 */
export async function benchCodec(options: { readonly seconds?: number } = {}): Promise<CodecResult> {
  const slice = ((options.seconds ?? 10) * 1000) / (SHAPES.length * 4 * ROUNDS);
  const rows: CodecRow[] = [];
  for (const shape of SHAPES) {
    rows.push(compare(`decode ${shape.name}`, slice, decodeOurs(shape), decodeTheirs(shape)));
    rows.push(compare(`encode ${shape.name}`, slice, encodeOurs(shape), encodeTheirs(shape)));
  }
  const result: CodecResult = { node: process.version, rounds: ROUNDS, rows };
  print(result);
  return result;
}

/** Does a batch of packets and answers how many. */
type Batch = () => number;

function compare(workload: string, slice: number, ours: Batch, theirs: Batch): CodecRow {
  const timesOfOurs: number[] = [];
  const timesOfTheirs: number[] = [];
  // In turns, so that a slow moment of the machine meets both.
  for (let round = 0; round < ROUNDS; round++) {
    timesOfOurs.push(measure(ours, slice));
    timesOfTheirs.push(measure(theirs, slice));
  }
  const sallyport = median(timesOfOurs);
  const other = median(timesOfTheirs);
  return { workload, sallyport, mqttPacket: other, ratio: other / sallyport };
}

/** Time of the processor, not of the clock: what else runs on the machine should not count. Collecting garbage does. */
function measure(batch: Batch, milliseconds: number): number {
  const until = performance.now() + milliseconds;
  const before = process.cpuUsage();
  let packets = 0;
  while (performance.now() < until) packets += batch();
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1000) / packets;
}

function median(values: number[]): number {
  return values.sort((one, other) => one - other)[values.length >> 1]!;
}

function packetOf(shape: Shape): mqttPacket.IPublishPacket {
  const packet: mqttPacket.IPublishPacket = {
    cmd: 'publish',
    topic: TOPIC,
    payload: Buffer.alloc(shape.payloadBytes, 0x61),
    qos: shape.qos,
    retain: false,
    dup: false,
  };
  if (shape.qos > 0) packet.messageId = 4711;
  if (shape.properties) {
    packet.properties = {
      messageExpiryInterval: 3600,
      contentType: 'application/json',
      userProperties: { site: 'north' },
    };
  }
  return packet;
}

function chunkOf(shape: Shape): { readonly chunk: Buffer; readonly packets: number } {
  const packet = mqttPacket.generate(packetOf(shape), { protocolVersion: shape.version });
  const packets = Math.max(1, Math.floor(CHUNK_BYTES / packet.length));
  return { chunk: Buffer.concat(Array.from({ length: packets }, () => packet)), packets };
}

function decodeOurs(shape: Shape): Batch {
  const { chunk, packets } = chunkOf(shape);
  const decoder = new Decoder({ maximumPacketSize: 1_048_576, from: 'client', version: shape.version });
  let seen = 0;
  let bytes = 0;
  const receiver = {
    publish(frame: PublishFrame) {
      seen += 1;
      bytes += frame.payloadEnd - frame.payloadStart;
    },
    packet() {},
  };
  return () => {
    seen = 0;
    const failure = decoder.push(chunk, receiver);
    if (failure !== undefined || seen !== packets || bytes === 0) throw new Error(`decoded ${seen} of ${packets}`);
    return packets;
  };
}

function decodeTheirs(shape: Shape): Batch {
  const { chunk, packets } = chunkOf(shape);
  const parser = mqttPacket.parser({ protocolVersion: shape.version });
  let seen = 0;
  parser.on('packet', () => {
    seen += 1;
  });
  return () => {
    seen = 0;
    parser.parse(chunk);
    if (seen !== packets) throw new Error(`mqtt-packet decoded ${seen} of ${packets}`);
    return packets;
  };
}

function encodeOurs(shape: Shape): Batch {
  const topic = Buffer.from(TOPIC);
  const payload = Buffer.alloc(shape.payloadBytes, 0x61);
  const properties = propertiesOf(shape);
  const slab = new Slab(CHUNK_BYTES);
  return () => {
    for (let count = 1; count <= 256; count++) {
      writePublish(slab, shape.version, topic, payload, 0, payload.length, shape.qos, false, false, count, properties);
    }
    slab.take();
    return 256;
  };
}

/** The properties of a frame, as a broker hands them on. */
function propertiesOf(shape: Shape): Buffer {
  const { chunk } = chunkOf(shape);
  const decoder = new Decoder({ maximumPacketSize: 1_048_576, from: 'client', version: shape.version });
  let properties = Buffer.alloc(0);
  decoder.push(chunk, {
    publish(frame) {
      properties = Buffer.from(frame.bytes.subarray(frame.propertiesStart, frame.propertiesEnd));
    },
    packet() {},
  });
  return properties;
}

function encodeTheirs(shape: Shape): Batch {
  const packet = packetOf(shape);
  const options = { protocolVersion: shape.version };
  return () => {
    let bytes = 0;
    for (let count = 1; count <= 256; count++) {
      if (shape.qos > 0) packet.messageId = count;
      bytes += mqttPacket.generate(packet, options).length;
    }
    if (bytes === 0) throw new Error('mqtt-packet wrote nothing');
    return 256;
  };
}

function print(result: CodecResult): void {
  console.log(
    `Codec: PUBLISH, topic of ${TOPIC.length} bytes, node ${result.node}, processor time, median of ${result.rounds} rounds`,
  );
  console.log(
    `${'workload'.padEnd(42)}${'sallyport'.padStart(12)}${'mqtt-packet'.padStart(14)}${'faster'.padStart(9)}`,
  );
  for (const { workload, sallyport, mqttPacket: other, ratio } of result.rows) {
    const columns = `${sallyport.toFixed(0)} ns`.padStart(12) + `${other.toFixed(0)} ns`.padStart(14);
    console.log(`${workload.padEnd(42)}${columns}${`${ratio.toFixed(1)}x`.padStart(9)}`);
  }
}
