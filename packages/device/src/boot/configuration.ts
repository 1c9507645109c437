import type { Flash } from './flash.ts';
import { opened, type Rom, type Sealed, sealed } from './rom.ts';

const FILE = 'configuration.json';

/** What a device was told about its place: sealed by the device, so that nobody sends it elsewhere. */
export interface DeviceConfiguration {
  readonly organisation: string;
  readonly type: string;
  readonly id: string;
}

export function writeConfiguration(flash: Flash, { secret }: Rom, configuration: DeviceConfiguration): void {
  flash.writeJson(FILE, sealed(secret, 'configuration', configuration));
}

export type ConfigurationReading =
  | { readonly ok: true; readonly value: DeviceConfiguration }
  | { readonly ok: false; readonly reason: 'missing' | 'configuration_changed' | 'wrong_type'; readonly text: string };

/** The last link of the chain: the image reads its configuration only if this device wrote it, for this type. */
export function readConfiguration(flash: Flash, rom: Rom): ConfigurationReading {
  if (flash.read(FILE) === undefined) return { ok: false, reason: 'missing', text: 'The device has no configuration.' };
  const value = opened(rom.secret, 'configuration', flash.readJson<Sealed<DeviceConfiguration>>(FILE));
  if (!value) {
    return { ok: false, reason: 'configuration_changed', text: 'The configuration was not written by this device.' };
  }
  if (value.type !== rom.type) {
    return { ok: false, reason: 'wrong_type', text: `The configuration is for the type ${value.type}.` };
  }
  return { ok: true, value };
}
