import { Failure } from '@sallyport/model';
import { bootloaderProblem, readRoot } from '@sallyport/trust/firmware';
import { type DeviceConfiguration, writeConfiguration } from './configuration.ts';
import type { Flash } from './flash.ts';
import { burnRom, readRom } from './rom.ts';

/** What a device gets where it is made. */
export interface FactoryParts {
  readonly configuration: DeviceConfiguration;
  /** The root role to pin: everything that the device believes of firmware follows from it. */
  readonly root: string;
  readonly bootloader: { readonly image: Uint8Array; readonly statement: Uint8Array };
}

/**
 * Makes a device: burns the ROM, puts the bootloader there and seals the configuration. False if it was made before: a ROM is burnt once.
 *
 * @throws Failure `key_material_invalid` if the bootloader is not signed by the keys of the root role
 */
export function makeDevice(flash: Flash, { configuration, root, bootloader }: FactoryParts): boolean {
  if (readRom(flash)) return false;
  const read = readRoot(Buffer.from(root));
  const problem = read.ok
    ? bootloaderProblem(read.value.roles.root, bootloader.statement, bootloader.image)
    : { text: read.text };
  if (problem)
    throw new Failure('key_material_invalid', `The parts of the device do not fit together: ${problem.text}`);
  flash.write('bootloader/bootloader.bin', bootloader.image);
  flash.write('bootloader/bootloader.json', bootloader.statement);
  burnRom(flash, configuration.type, root);
  const rom = readRom(flash);
  if (rom) writeConfiguration(flash, rom, configuration);
  return true;
}
