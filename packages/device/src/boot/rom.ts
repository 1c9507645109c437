import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { Failure } from '@sallyport/model';
import { readRoot, type VerifiedRoot } from '@sallyport/trust/firmware';
import type { Flash } from './flash.ts';

const FILE = 'rom/rom.json';
const COUNTER = 'rom/counter.json';

/** What is burnt into a device when it is made, and never written again. */
export interface Rom {
  /** Device type; images of others do not start. */
  readonly type: string;
  /** The root role that was pinned. */
  readonly root: VerifiedRoot;
  /** Seals what the device itself writes down, so that it cannot be exchanged. */
  readonly secret: Uint8Array;
}

/** Burns type, root and a new secret. Done once. */
export function burnRom(flash: Flash, type: string, root: string): void {
  if (!readRoot(Buffer.from(root)).ok) {
    throw new Failure('key_material_invalid', 'The root role to pin cannot be read or is not signed by its own keys.');
  }
  const secret = randomBytes(32);
  flash.writeJson(COUNTER, sealed(secret, 'counter', { value: 0 }));
  flash.writeJson(FILE, { type, root, secret: secret.toString('hex') });
}

/** Undefined if the device was never made. */
export function readRom(flash: Flash): Rom | undefined {
  const stored = flash.readJson<{ type: string; root: string; secret: string }>(FILE);
  if (stored === undefined) return undefined;
  const root = readRoot(Buffer.from(stored.root));
  if (!root.ok) throw new Failure('key_material_invalid', `The ROM of the device is damaged: ${root.text}.`);
  return { type: stored.type, root: root.value, secret: Buffer.from(stored.secret, 'hex') };
}

/** The counter that only grows: no image below it starts. Undefined if it was taken away or changed. A real device keeps it in fuses. */
export function readCounter(flash: Flash, { secret }: Rom): number | undefined {
  return opened<{ value: number }>(secret, 'counter', flash.readJson(COUNTER))?.value;
}

/** Raises the counter; never lowers it. */
export function raiseCounter(flash: Flash, rom: Rom, value: number): void {
  const before = readCounter(flash, rom);
  if (before === undefined || before >= value) return;
  flash.writeJson(COUNTER, sealed(rom.secret, 'counter', { value }));
}

/** A value with a seal that only this device can make, for this purpose. */
export interface Sealed<T> {
  readonly value: T;
  /** HMAC-SHA256, hexadecimal. */
  readonly seal: string;
}

export function sealed<T>(secret: Uint8Array, purpose: string, value: T): Sealed<T> {
  return { value, seal: macOf(secret, purpose, value).toString('hex') };
}

/** The value if its seal is right, else undefined. */
export function opened<T>(secret: Uint8Array, purpose: string, stored: Sealed<T> | undefined): T | undefined {
  if (typeof stored?.seal !== 'string') return undefined;
  const expected = macOf(secret, purpose, stored.value);
  const found = Buffer.from(stored.seal, 'hex');
  return found.length === expected.length && timingSafeEqual(found, expected) ? stored.value : undefined;
}

function macOf(secret: Uint8Array, purpose: string, value: unknown): Buffer {
  return createHmac('sha256', secret)
    .update(`${purpose}\n${JSON.stringify(value)}`)
    .digest();
}
