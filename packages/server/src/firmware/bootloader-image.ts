/**
 * The bootloader of simulated devices: bytes that the root role signs and that the simulated boot ROM demands. Real devices bring a real one.
 */
export const BOOTLOADER_IMAGE: Uint8Array = Buffer.from('sallyport simulated bootloader 1\n');
export const BOOTLOADER_VERSION = 1;
