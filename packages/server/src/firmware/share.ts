import { createHash } from 'node:crypto';

/**
 * Whether a device belongs to the share of a rollout. Each release draws anew, so that it is not always the same devices that go first;
 * a larger share holds every device of a smaller one.
 */
export function inShare(
  { organisation, type, version, percent }: { organisation: string; type: string; version: string; percent: number },
  device: string,
): boolean {
  const digest = createHash('sha256').update([organisation, type, version, device].join('\n')).digest();
  return digest.readUInt32BE(0) / 2 ** 32 < percent / 100;
}
