import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  Failure,
  type FirmwareReleaseDocument,
  type FirmwareRepositoryDocument,
  type FirmwareSigningDocument,
  type FirmwareUploadDocument,
  parseOrganisationId,
} from '@sallyport/model';
import { type FirmwareManifest, type FirmwareRole, storedPathOf } from '@sallyport/trust/firmware';
import type { Configuration } from '../config/schema.ts';
import { makePrivateFolder } from '../storage/private-file.ts';
import type { OfflineRoles } from './first-roles.ts';
import { noRelease, type OnlineRole, Repository } from './repository.ts';
import type { NextRootRole } from './root-rotation.ts';
import type { NewRelease } from './targets-change.ts';
import { Turns } from './turns.ts';

/** A change that an operator made, for the audit trail. */
export interface FirmwareChange {
  readonly action: string;
  readonly by: string;
  readonly organisation: string;
  readonly target: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

export interface FirmwareDeskOptions {
  /** The data directory; repositories lie in its folder `firmware`. */
  readonly directory: string;
  readonly settings: Configuration['firmware'];
  readonly now: () => number;
  /** Rejects with `not_found` if there is no such organisation, or no such device type in it. */
  readonly demandType: (name: { readonly organisation: string; readonly type?: string }) => Promise<void>;
  /** Resolves when the change is in the audit trail. */
  readonly record: (change: FirmwareChange) => Promise<void>;
}

/** A file of a repository that somebody may read. */
export interface FirmwareFile {
  readonly path: string;
  /** Device type that alone may read it; absent for signed roles. */
  readonly type?: string;
}

/** Firmware of all organisations: what operators do with it, and the files that devices read. */
export class FirmwareDesk {
  readonly #options: FirmwareDeskOptions;
  readonly #folder: string;
  readonly #open = new Map<string, Repository>();
  readonly #turns = new Turns();

  constructor(options: FirmwareDeskOptions) {
    this.#options = options;
    this.#folder = join(options.directory, 'firmware');
  }

  async describe(organisation: string): Promise<FirmwareRepositoryDocument> {
    return (await this.#of(organisation)).describe();
  }

  async signing(organisation: string, exchange: readonly OnlineRole[] = []): Promise<FirmwareSigningDocument> {
    return this.#change(organisation, (repository) => repository.signing(exchange));
  }

  initialise(organisation: string, by: string, offline: OfflineRoles | undefined): Promise<FirmwareRepositoryDocument> {
    return this.#change(organisation, async (repository) => {
      await repository.initialise(offline);
      const details = { keys: offline ? 'elsewhere' : 'here' };
      await this.#record({
        action: 'firmware.initialised',
        by,
        organisation,
        target: `firmware:${organisation}`,
        details,
      });
      return repository.describe();
    });
  }

  async list(organisation: string): Promise<readonly FirmwareReleaseDocument[]> {
    const repository = await this.#of(organisation);
    return repository.manifests.map((manifest) => document(organisation, manifest));
  }

  async get(organisation: string, name: { type: string; version: string }): Promise<FirmwareReleaseDocument> {
    const found = (await this.#of(organisation)).find(name);
    if (!found) throw noRelease(name);
    return document(organisation, found);
  }

  async release(organisation: string, by: string, input: NewRelease): Promise<FirmwareReleaseDocument> {
    await this.#options.demandType({ organisation, type: input.type });
    return this.#change(organisation, async (repository) => {
      const manifest = await repository.release(input);
      const { type: _, ...details } = manifest;
      await this.#record({
        action: 'firmware.released',
        by,
        organisation,
        target: targetOf(organisation, manifest),
        details,
      });
      return document(organisation, manifest);
    });
  }

  remove(organisation: string, by: string, name: { type: string; version: string }): Promise<void> {
    return this.#change(organisation, async (repository) => {
      await repository.remove(name);
      await this.#record({ action: 'firmware.removed', by, organisation, target: targetOf(organisation, name) });
    });
  }

  replaceTargets(organisation: string, by: string, targets: string): Promise<FirmwareRepositoryDocument> {
    return this.#change(organisation, async (repository) => {
      await repository.replaceTargets(targets);
      await this.#record({
        action: 'firmware.renewed',
        by,
        organisation,
        target: `firmware:${organisation}`,
        details: { role: 'targets' },
      });
      return repository.describe();
    });
  }

  replaceRoot(organisation: string, by: string, next: NextRootRole): Promise<FirmwareRepositoryDocument> {
    return this.#change(organisation, async (repository) => {
      const roles = await repository.replaceRoot(next);
      const described = await repository.describe();
      const version = described.roles.find(({ role }) => role === 'root')?.version;
      await this.#record({
        action: 'firmware.rotated',
        by,
        organisation,
        target: `firmware:${organisation}`,
        details: { version, roles },
      });
      return described;
    });
  }

  /** Adds a piece to an upload. */
  upload(
    organisation: string,
    piece: { readonly digest: string; readonly size: number; readonly offset: number; readonly bytes: Uint8Array },
  ): Promise<FirmwareUploadDocument> {
    return this.#change(organisation, async (repository) => {
      if (!repository.exists) await repository.describe();
      return repository.uploads.append(piece);
    });
  }

  async received(organisation: string, digest: string): Promise<number> {
    return (await this.#of(organisation)).uploads.received(digest);
  }

  /** The manifest of a release; undefined if there is none. */
  async find(organisation: string, name: { type: string; version: string }): Promise<FirmwareManifest | undefined> {
    return (await this.#of(organisation)).find(name);
  }

  /** The file under a path as TUF clients write it: `metadata/FILE` or `targets/TYPE/DIGEST.VERSION.bin`; undefined if no such file can be. */
  file(organisation: string, path: string): FirmwareFile | undefined {
    if (!parseOrganisationId(organisation).ok) return undefined;
    const [kind = '', first = '', second, ...more] = path.split('/');
    if (more.length > 0 || !existsSync(join(this.#folder, organisation))) return undefined;
    const repository = this.#repository(organisation);
    if (kind === 'metadata' && second === undefined) {
      const found = repository.folder.metadataPath(first);
      return found === undefined ? undefined : { path: found };
    }
    if (kind !== 'targets' || second === undefined) return undefined;
    // Only what a signed role lists is handed out: an upload that was never released is nobody's business.
    const manifest = repository.manifests.find((one) => storedPathOf(one) === `${first}/${second}`);
    return manifest && { path: repository.folder.imagePath(manifest), type: manifest.type };
  }

  /** Signs anew whatever would expire, in every repository. Answers what was renewed where. */
  async renew(): Promise<readonly { readonly organisation: string; readonly roles: readonly FirmwareRole[] }[]> {
    const renewed: { organisation: string; roles: readonly FirmwareRole[] }[] = [];
    if (!existsSync(this.#folder)) return renewed;
    for (const organisation of readdirSync(this.#folder)) {
      const roles = await this.#turns.take(organisation, () => this.#repository(organisation).renew());
      if (roles.length > 0) renewed.push({ organisation, roles });
    }
    return renewed;
  }

  /** Drops the repository of an organisation that was removed. */
  forget(organisation: string): void {
    this.#open.delete(organisation);
    if (parseOrganisationId(organisation).ok)
      rmSync(join(this.#folder, organisation), { recursive: true, force: true });
  }

  async #of(organisation: string): Promise<Repository> {
    await this.#options.demandType({ organisation });
    const repository = this.#repository(organisation);
    if (!repository.exists) throw noRepository(organisation);
    return repository;
  }

  async #change<T>(organisation: string, work: (repository: Repository) => Promise<T>): Promise<T> {
    await this.#options.demandType({ organisation });
    return this.#turns.take(organisation, () => {
      makePrivateFolder(this.#folder);
      return work(this.#repository(organisation));
    });
  }

  #repository(organisation: string): Repository {
    const known = this.#open.get(organisation);
    if (known) return known;
    const { settings, now } = this.#options;
    const opened = new Repository({ directory: this.#folder, organisation, settings, now });
    this.#open.set(organisation, opened);
    return opened;
  }

  #record(change: FirmwareChange): Promise<void> {
    return this.#options.record(change);
  }
}

function noRepository(organisation: string): Failure {
  return new Failure('not_found', `Organisation ${organisation} has no firmware repository yet.`, {
    cure: 'Make it with `sallyport firmware init`.',
  });
}

function document(organisation: string, manifest: FirmwareManifest): FirmwareReleaseDocument {
  return { organisation, ...manifest };
}

function targetOf(organisation: string, { type, version }: { type: string; version: string }): string {
  return `firmware:${organisation}/${type}/${version}`;
}
