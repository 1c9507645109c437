import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type FirmwareManifest,
  type FirmwareRole,
  generateRoleKey,
  type RoleHolders,
  type RoleKey,
  rootMetadata,
  signBootloader,
  snapshotMetadata,
  storedPathOf,
  targetsMetadata,
  timestampMetadata,
} from '@sallyport/trust/firmware';
import { Flash } from '../../src/boot/flash.ts';
import { makeDevice } from '../../src/boot/make-device.ts';
import { readRom } from '../../src/boot/rom.ts';
import type { FirmwareSource } from '../../src/firmware/firmware-source.ts';
import { refreshRoles, type TrustedRoles } from '../../src/firmware/trusted-roles.ts';

const DAY = 86_400_000;
const BOOTLOADER = Buffer.from('a bootloader');

type PerRole<T> = Record<FirmwareRole, T>;

/**
 * A TUF repository of which every detail can be made wrong: versions, dates, holders, signers. A role is written with {@link write} as it
 * stands, or with {@link publish} under its next version.
 */
export class TufRepository implements FirmwareSource {
  readonly files = new Map<string, Uint8Array>();
  /** Paths in the order in which they were read. */
  requests: string[] = [];
  holders: PerRole<{ keys: RoleKey[]; threshold: number }>;
  signers: PerRole<RoleKey[]>;
  versions: PerRole<number> = { root: 1, targets: 1, snapshot: 1, timestamp: 1 };
  expires: PerRole<number>;
  manifests: FirmwareManifest[] = [];

  constructor() {
    const per = <T>(make: () => T): PerRole<T> => ({
      root: make(),
      targets: make(),
      snapshot: make(),
      timestamp: make(),
    });
    this.expires = per(() => Date.now() + 100 * DAY);
    this.signers = per(() => [generateRoleKey()]);
    const held = (role: FirmwareRole) => ({ keys: [...this.signers[role]], threshold: 1 });
    this.holders = {
      root: held('root'),
      targets: held('targets'),
      snapshot: held('snapshot'),
      timestamp: held('timestamp'),
    };
    for (const role of ['root', 'targets', 'snapshot', 'timestamp'] as const) this.write(role);
  }

  /** Signs a role as it stands. */
  write(role: FirmwareRole, change: (bytes: Uint8Array) => Uint8Array = (bytes) => bytes): void {
    const { [role]: version } = this.versions;
    const file = role === 'timestamp' ? 'timestamp.json' : `${version}.${role}.json`;
    this.files.set(`metadata/${file}`, change(this.#signed(role)));
  }

  /** The next version of each of these roles, in this order. */
  publish(...roles: readonly FirmwareRole[]): void {
    for (const role of roles) {
      this.versions[role] += 1;
      this.write(role);
    }
  }

  /** One new key speaks for a role from the next root role on. */
  rotate(role: FirmwareRole): void {
    const key = generateRoleKey();
    this.holders[role] = { keys: [key], threshold: 1 };
    this.signers[role] = [key];
  }

  /** Lists an image. */
  add(image: Uint8Array, change: Partial<FirmwareManifest> = {}): FirmwareManifest {
    const sequence = change.sequence ?? this.manifests.length + 1;
    const manifest = {
      type: 'pump',
      version: `1.${sequence}.0`,
      digest: createHash('sha256').update(image).digest('hex'),
      size: image.length,
      sequence,
      minimumSequence: 0,
      ...change,
    };
    this.manifests.push(manifest);
    this.files.set(`targets/${storedPathOf(manifest)}`, image);
    return manifest;
  }

  async read(path: string): Promise<AsyncIterable<Uint8Array> | undefined> {
    this.requests.push(path);
    const bytes = this.files.get(path);
    return bytes && once(bytes);
  }

  #signed(role: FirmwareRole): Uint8Array {
    const issue = { version: this.versions[role], expires: this.expires[role], signers: this.signers[role] };
    if (role === 'root') return rootMetadata({ ...issue, roles: this.holders as PerRole<RoleHolders> });
    if (role === 'targets') return targetsMetadata({ ...issue, manifests: this.manifests });
    if (role === 'snapshot') return snapshotMetadata({ ...issue, targets: this.#refers('targets') });
    return timestampMetadata({ ...issue, snapshot: this.#refers('snapshot') });
  }

  #refers(role: 'targets' | 'snapshot') {
    const version = this.versions[role];
    return { version, bytes: this.files.get(`metadata/${version}.${role}.json`) ?? new Uint8Array() };
  }
}

/** A device that pinned a root role, which is the first of the repository unless another is given. */
export function tufClient(repository: TufRepository, pinned?: Uint8Array) {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-tuf-'));
  const flash = new Flash(folder);
  makeDevice(flash, {
    configuration: { organisation: 'demo', type: 'pump', id: 'pump-7' },
    root: Buffer.from(pinned ?? repository.files.get('metadata/1.root.json') ?? '').toString('utf8'),
    bootloader: { image: BOOTLOADER, statement: signBootloader(BOOTLOADER, 1, repository.signers.root) },
  });
  const rom = readRom(flash);
  if (!rom) throw new Error('no ROM');
  const trusted = () => flash.readJson<TrustedRoles>('trusted-roles.json') ?? { roots: [] };
  return {
    flash,
    rom,
    /** True if the repository was believed as a whole. */
    async refresh(source: FirmwareSource = repository): Promise<boolean> {
      repository.requests = [];
      return refreshRoles(flash, rom, source, Date.now()).then(
        () => true,
        (error: { code?: string }) => {
          if (error.code !== 'firmware_rejected') throw error;
          return false;
        },
      );
    },
    /** Versions of what the device believes; 0 where it has nothing. */
    get versions(): PerRole<number> {
      const { roots, timestamp, snapshot, targets } = trusted();
      const of = (text: string | undefined) =>
        text === undefined ? 0 : (JSON.parse(text) as { signed: { version: number } }).signed.version;
      return {
        root: roots.length === 0 ? rom.root.version : of(roots.at(-1)),
        targets: of(targets),
        snapshot: of(snapshot),
        timestamp: of(timestamp),
      };
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
