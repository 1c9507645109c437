import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type FirmwareManifest,
  generateRoleKey,
  type RoleKey,
  rootMetadata,
  signBootloader,
  snapshotMetadata,
  storedPathOf,
  targetsMetadata,
  timestampMetadata,
} from '@sallyport/trust/firmware';
import type { Disk } from '../../src/boot/disk.ts';
import { Flash } from '../../src/boot/flash.ts';
import { makeDevice } from '../../src/boot/make-device.ts';
import type { FirmwareSource } from '../../src/firmware/firmware-source.ts';

const DAY = 86_400_000;
const BOOTLOADER = Buffer.from('a bootloader');

/** A repository in memory, signed by keys of its own, that a test can also sign wrongly. */
export class TestRepository implements FirmwareSource {
  readonly keys = { root: generateRoleKey(), targets: generateRoleKey(), online: generateRoleKey() };
  readonly files = new Map<string, Uint8Array>();
  readonly root: string;
  /** Paths that were read, with the offset. */
  readonly reads: string[] = [];
  manifests: FirmwareManifest[] = [];
  #version = 0;

  constructor() {
    const one = (key: RoleKey) => ({ keys: [key], threshold: 1 });
    const { root, targets, online } = this.keys;
    const roles = { root: one(root), targets: one(targets), snapshot: one(online), timestamp: one(online) };
    const bytes = rootMetadata({ version: 1, expires: Date.now() + 100 * DAY, roles, signers: [root] });
    this.root = Buffer.from(bytes).toString('utf8');
    this.publish();
  }

  get bootloader() {
    return { image: BOOTLOADER, statement: signBootloader(BOOTLOADER, 1, [this.keys.root]) };
  }

  /** Adds an image; its bytes are random unless they are given. */
  add(change: Partial<FirmwareManifest> & { image?: Buffer } = {}): FirmwareManifest {
    const { image = randomBytes(3_000), ...given } = change;
    const sequence = given.sequence ?? this.manifests.length + 1;
    const manifest: FirmwareManifest = {
      type: 'pump',
      version: `1.${sequence}.0`,
      digest: createHash('sha256').update(image).digest('hex'),
      size: image.length,
      sequence,
      minimumSequence: sequence,
      ...given,
    };
    this.manifests.push(manifest);
    this.files.set(`targets/${storedPathOf(manifest)}`, image);
    this.publish();
    return manifest;
  }

  publish({
    signer = this.keys.targets,
    expires = Date.now() + 10 * DAY,
  }: {
    signer?: RoleKey;
    expires?: number;
  } = {}) {
    const version = ++this.#version;
    const { manifests } = this;
    const online = { version, expires: Date.now() + DAY, signers: [this.keys.online] };
    const targets = targetsMetadata({ version, expires, manifests, signers: [signer] });
    const snapshot = snapshotMetadata({ ...online, targets: { version, bytes: targets } });
    this.files.set(`metadata/${version}.targets.json`, targets);
    this.files.set(`metadata/${version}.snapshot.json`, snapshot);
    this.files.set('metadata/timestamp.json', timestampMetadata({ ...online, snapshot: { version, bytes: snapshot } }));
  }

  async read(path: string, offset: number): Promise<AsyncIterable<Uint8Array> | undefined> {
    this.reads.push(`${path}@${offset}`);
    const bytes = this.files.get(path);
    return bytes && piecesOf(bytes.subarray(offset));
  }
}

async function* piecesOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += 500) yield bytes.subarray(offset, offset + 500);
}

/** A device in a temporary folder. */
export function testDevice(repository: TestRepository, disk?: Disk) {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-device-'));
  const flash = new Flash(folder, disk);
  makeDevice(flash, {
    configuration: { organisation: 'demo', type: 'pump', id: 'pump-7' },
    root: repository.root,
    bootloader: repository.bootloader,
  });
  return { folder, flash, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
