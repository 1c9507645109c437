import type { Reading, WirePayload } from '@sallyport/device/simulator';
import type { SimulatorPayload } from '@sallyport/model';

/** Characters of a payload that are shown. */
const LONGEST = 1_200;

/** A reading as it was meant and as it went over the network, for a page. */
export function payloadShown(at: number, reading: Reading, wire: readonly WirePayload[]): SimulatorPayload {
  return {
    at,
    clear: JSON.stringify(reading, null, 2),
    wire: wire.map(({ format, bytes, sealedFor }) => {
      const text = sealedFor === undefined ? Buffer.from(bytes).toString('utf8') : hexadecimal(bytes);
      return {
        format,
        size: bytes.length,
        text: text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text,
        ...(sealedFor !== undefined && { sealedFor }),
      };
    }),
  };
}

function hexadecimal(bytes: Uint8Array): string {
  return (
    Buffer.from(bytes)
      .toString('hex')
      .match(/.{1,4}/g) ?? []
  ).join(' ');
}
