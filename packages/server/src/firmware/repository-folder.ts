import { readFileSync, rmSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type FirmwareManifest,
  type FirmwareRole,
  type RoleKey,
  roleKeyFromPem,
  storedPathOf,
} from '@sallyport/trust/firmware';
import { makePrivateFolder, readPrivateFile, writePrivateFile } from '../storage/private-file.ts';

/** What a client of the repository may read in its folder `metadata`. */
const METADATA_FILE = /^(?:[1-9][0-9]{0,9}\.(?:root|targets|snapshot)\.json|timestamp\.json|bootloader\.(?:json|bin))$/;
const TARGET_FILE = /^[0-9a-f]{64}\.[A-Za-z0-9][A-Za-z0-9._+-]{0,63}\.bin$/;

/** The files of the firmware repository of one organisation, laid out as any TUF client expects them (consistent snapshots). */
export class RepositoryFolder {
  readonly #path: string;

  constructor(directory: string, organisation: string) {
    this.#path = join(directory, organisation);
  }

  /** Path of a metadata file, or undefined if the name is none. */
  metadataPath(file: string): string | undefined {
    return METADATA_FILE.test(file) ? join(this.#path, 'metadata', file) : undefined;
  }

  /** Path of a target, or undefined if the name is none. `type` is a checked device type. */
  targetPath(type: string, file: string): string | undefined {
    return TARGET_FILE.test(file) ? join(this.#path, 'targets', type, file) : undefined;
  }

  imagePath(manifest: Pick<FirmwareManifest, 'type' | 'version' | 'digest'>): string {
    return join(this.#path, 'targets', storedPathOf(manifest));
  }

  get uploads(): string {
    return join(this.#path, 'uploads');
  }

  make(): void {
    for (const folder of ['metadata', 'targets', 'keys', 'uploads']) makePrivateFolder(join(this.#path, folder));
  }

  makeTypeFolder(type: string): void {
    makePrivateFolder(join(this.#path, 'targets', type));
  }

  /** Undefined if there is no such file. */
  read(file: string): Buffer | undefined {
    try {
      return readFileSync(join(this.#path, 'metadata', file));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** On disk, whole or not at all. */
  write(file: string, bytes: Uint8Array): void {
    writePrivateFile(join(this.#path, 'metadata', file), bytes);
  }

  /** The keys of a role that are kept here. Throws `key_material_invalid` if others can read one. */
  async keys(role: FirmwareRole): Promise<RoleKey[]> {
    const folder = join(this.#path, 'keys');
    const names = await readdir(folder).catch(() => [] as string[]);
    return names
      .filter((name) => name.startsWith(`${role}-`) && name.endsWith('.pem'))
      .sort()
      .flatMap((name) => {
        const pem = readPrivateFile(join(folder, name));
        return pem === undefined ? [] : [roleKeyFromPem(pem.toString('utf8'))];
      });
  }

  keep(role: FirmwareRole, key: RoleKey): void {
    writePrivateFile(this.#keyPath(role, key), key.exportPem());
  }

  /** Forgets a key of a role. */
  drop(role: FirmwareRole, key: Pick<RoleKey, 'keyId'>): void {
    rmSync(this.#keyPath(role, key), { force: true });
  }

  /** Removes a file of the folder `metadata`. */
  remove(file: string): void {
    rmSync(join(this.#path, 'metadata', file), { force: true });
  }

  #keyPath(role: FirmwareRole, { keyId }: Pick<RoleKey, 'keyId'>): string {
    return join(this.#path, 'keys', `${role}-${keyId.slice(0, 16)}.pem`);
  }

  /** Bytes of all images, those that are being uploaded included. */
  async size(): Promise<number> {
    let total = 0;
    for (const folder of ['targets', 'uploads']) {
      const entries = await readdir(join(this.#path, folder), { recursive: true, withFileTypes: true }).catch(() => []);
      for (const entry of entries) {
        if (entry.isFile()) total += await sizeOf(join(entry.parentPath, entry.name));
      }
    }
    return total;
  }
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}
