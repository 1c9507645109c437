import {
  type FirmwareManifest,
  type FirmwareRole,
  type RoleHolders,
  type RoleKey,
  rootMetadata,
  snapshotMetadata,
  targetsMetadata,
  timestampMetadata,
  type VerifiedRoot,
} from '@sallyport/trust/firmware';
import type { Configuration } from '../config/schema.ts';
import type { RepositoryFolder } from './repository-folder.ts';

export interface SignerOptions {
  readonly folder: RepositoryFolder;
  readonly validity: Pick<
    Configuration['firmware'],
    'rootValidity' | 'targetsValidity' | 'snapshotValidity' | 'timestampValidity'
  >;
  readonly now: () => number;
}

/** Signs with the keys that lie on this server. */
export class Signer {
  readonly #options: SignerOptions;

  constructor(options: SignerOptions) {
    this.#options = options;
  }

  /** The keys of a role that are here and that the root role lists; empty if they are fewer than it demands. */
  async holds(root: VerifiedRoot, role: FirmwareRole): Promise<readonly RoleKey[]> {
    const { keys, threshold } = root.roles[role];
    const here = await this.#options.folder.keys(role);
    const fitting = here.filter((key) => keys.some(({ keyId }) => keyId === key.keyId));
    return fitting.length >= threshold ? fitting : [];
  }

  root(version: number, roles: Readonly<Record<FirmwareRole, RoleHolders>>, signers: readonly RoleKey[]): Uint8Array {
    return rootMetadata({ version, expires: this.#until('rootValidity'), roles, signers });
  }

  targets(version: number, manifests: readonly FirmwareManifest[], signers: readonly RoleKey[]): Uint8Array {
    return targetsMetadata({ version, expires: this.#until('targetsValidity'), manifests, signers });
  }

  snapshot(
    version: number,
    targets: { readonly version: number; readonly bytes: Uint8Array },
    signers: readonly RoleKey[],
  ): Uint8Array {
    return snapshotMetadata({ version, expires: this.#until('snapshotValidity'), targets, signers });
  }

  timestamp(
    version: number,
    snapshot: { readonly version: number; readonly bytes: Uint8Array },
    signers: readonly RoleKey[],
  ): Uint8Array {
    return timestampMetadata({ version, expires: this.#until('timestampValidity'), snapshot, signers });
  }

  #until(validity: keyof SignerOptions['validity']): number {
    return this.#options.now() + this.#options.validity[validity];
  }
}
