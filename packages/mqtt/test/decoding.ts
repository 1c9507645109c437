import { type DecodeFailure, Decoder, type Packet, type ProtocolVersion, publishFromFrame } from '../src/index.ts';

export interface Decoded {
  readonly packets: Packet[];
  readonly failure: DecodeFailure | undefined;
  readonly decoder: Decoder;
}

export interface Circumstances {
  readonly from?: 'client' | 'server';
  readonly version?: ProtocolVersion;
  readonly maximumPacketSize?: number;
}

/** Decodes chunks as they would come from a socket. A version makes the connection stand already. */
export function decode(chunks: readonly Uint8Array[], circumstances: Circumstances = {}): Decoded {
  const { from = 'client', version, maximumPacketSize = 1_000_000 } = circumstances;
  const decoder = new Decoder({ maximumPacketSize, from, ...(version && { version }) });
  const packets: Packet[] = [];
  const receiver = {
    publish: (frame: Parameters<typeof publishFromFrame>[0]) => packets.push(publishFromFrame(frame)),
    packet: (packet: Packet) => packets.push(packet),
  };
  let failure: DecodeFailure | undefined;
  for (const chunk of chunks) failure = decoder.push(Buffer.from(chunk), receiver);
  return { packets, failure, decoder };
}

/** A packet of a first byte and a body, with the right remaining length. */
export function packetOf(
  first: number,
  ...parts: readonly (number | string | readonly number[] | Uint8Array)[]
): Buffer {
  const body = Buffer.concat(parts.map((part) => (typeof part === 'number' ? Buffer.from([part]) : bytesOf(part))));
  const length: number[] = [];
  let rest = body.length;
  do {
    length.push((rest & 0x7f) | (rest > 127 ? 0x80 : 0));
    rest >>= 7;
  } while (rest > 0);
  return Buffer.concat([Buffer.from([first, ...length]), body]);
}

/** A string becomes a field with its two bytes of length. */
function bytesOf(part: string | readonly number[] | Uint8Array): Uint8Array {
  if (typeof part !== 'string') return Uint8Array.from(part);
  const text = Buffer.from(part);
  return Buffer.concat([Buffer.from([text.length >> 8, text.length & 0xff]), text]);
}

/** What a single packet is refused with. */
export function refusalOf(bytes: Uint8Array, version?: ProtocolVersion, from: 'client' | 'server' = 'client') {
  const { failure, packets } = decode([bytes], { from, ...(version && { version }) });
  if (failure === undefined) throw new Error(`was accepted: ${JSON.stringify(packets)}`);
  return { code: failure.code, reasonCode: failure.reasonCode, statement: failure.statement };
}

export function malformed(statement: string) {
  return { code: 'malformed_packet', reasonCode: 0x81, statement };
}

export function protocolError(statement: string) {
  return { code: 'protocol_error', reasonCode: 0x82, statement };
}
