import { createHash, timingSafeEqual } from 'node:crypto';

/** Compares two secrets in a time that tells nothing of their content, and nothing of their length beyond its block count. */
export function constantTimeEqual(a: Uint8Array | string, b: Uint8Array | string): boolean {
  // Digests have one length, so that a difference in length does not return early.
  return timingSafeEqual(digestOf(a), digestOf(b));
}

function digestOf(value: Uint8Array | string): Buffer {
  return createHash('sha256').update(value).digest();
}
