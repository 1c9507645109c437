import type { Attached } from './attached.ts';
import type { ProtectedDevice, Protection, ProtectionOptions } from './protection.ts';

/** How the gateway guards and seals for a device, or for itself; undefined if the device does it itself: then everything is passed on as it is. */
export type ProtectAttached = (
  device: Attached,
) => ProtectionOptions | undefined | Promise<ProtectionOptions | undefined>;

/** Publishes an event of an attached device: short name, format, bytes. */
export type SendAttached = (device: Attached, name: string, format: string, bytes: Uint8Array) => Promise<void>;

/** The protections that a gateway has for others, each opened when its device first speaks or is spoken to. */
export class AttachedProtections {
  readonly #gateway: Omit<ProtectedDevice, 'kind'>;
  readonly #choose: ProtectAttached;
  readonly #send: SendAttached;
  readonly #open = new Map<string, Promise<Protection | undefined>>();

  constructor(gateway: Omit<ProtectedDevice, 'kind'>, choose: ProtectAttached, send: SendAttached) {
    this.#gateway = gateway;
    this.#choose = choose;
    this.#send = send;
  }

  /**
   * The protection for a device; undefined if it has its own.
   *
   * @throws Failure `key_material_invalid`, `invalid_request`: nothing may be sent or handed over then
   */
  of(device: Attached): Promise<Protection | undefined> {
    const name = `${device.type}/${device.id}`;
    const known = this.#open.get(name);
    if (known !== undefined) return known;
    const opening = this.#openFor({ type: device.type, id: device.id });
    this.#open.set(name, opening);
    // Only what is the gateway's own is kept: of names that others invent nothing remains.
    opening.then(
      (protection) => protection ?? this.#open.delete(name),
      () => this.#open.delete(name),
    );
    return opening;
  }

  async #openFor(device: Attached): Promise<Protection | undefined> {
    const options = await this.#choose(device);
    if (options === undefined) return undefined;
    const { organisation, type, id, ca } = this.#gateway;
    const kind = device.type === type && device.id === id ? 'gateway' : 'device';
    const { Protection } = await import('./protection.ts');
    const named = { organisation, kind, ...device, ...(ca === undefined ? {} : { ca }) } as const;
    const protection = await Protection.open(options, named, (name, format, bytes) =>
      this.#send(device, name, format, bytes),
    );
    await protection.introduce();
    return protection;
  }
}
