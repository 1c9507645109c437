import { Failure } from '@sallyport/model';
import {
  bootloaderProblem,
  generateRoleKey,
  type RoleHolders,
  type RoleKey,
  readRoot,
  readTargets,
  signBootloader,
  type VerifiedRoot,
} from '@sallyport/trust/firmware';
import { BOOTLOADER_IMAGE, BOOTLOADER_VERSION } from './bootloader-image.ts';
import type { RepositoryFolder } from './repository-folder.ts';
import type { Signer } from './signer.ts';

/** What somebody sends who keeps the keys of root and targets away from the server. */
export interface OfflineRoles {
  readonly root: string;
  readonly targets: string;
  /** Base64 of the signed statement about the bootloader. */
  readonly bootloader: string;
}

/** The keys that a server always holds. */
export type OnlineKeys = Readonly<Record<'snapshot' | 'timestamp', RoleKey>>;

/** What a repository begins with. */
export interface FirstRoles {
  readonly root: VerifiedRoot;
  readonly targets: Uint8Array;
  readonly bootloader: Uint8Array;
}

/** Makes all keys here and signs the first roles with them. */
export function signFirstRoles(folder: RepositoryFolder, signer: Signer, online: OnlineKeys): FirstRoles {
  const rootKey = generateRoleKey();
  const targetsKey = generateRoleKey();
  folder.keep('root', rootKey);
  folder.keep('targets', targetsKey);
  const one = (key: RoleKey): RoleHolders => ({ keys: [key], threshold: 1 });
  const roles = {
    root: one(rootKey),
    targets: one(targetsKey),
    snapshot: one(online.snapshot),
    timestamp: one(online.timestamp),
  };
  const root = readRoot(signer.root(1, roles, [rootKey]));
  if (!root.ok) throw new Failure('internal', root.text);
  return {
    root: root.value,
    targets: signer.targets(1, [], [targetsKey]),
    bootloader: signBootloader(BOOTLOADER_IMAGE, BOOTLOADER_VERSION, [rootKey]),
  };
}

/** Judges first roles that were signed elsewhere; what does not fit is an `invalid_request` failure. */
export function readFirstRoles(offline: OfflineRoles, online: OnlineKeys, now: number): FirstRoles {
  const root = readRoot(Buffer.from(offline.root));
  if (!root.ok) throw new Failure('invalid_request', `root: ${root.text}.`);
  const { value } = root;
  if (value.version !== 1) throw new Failure('invalid_request', 'root: the first root role has version 1.');
  for (const role of ['snapshot', 'timestamp'] as const) {
    const { keys, threshold } = value.roles[role];
    if (threshold !== 1 || keys[0]?.keyId !== online[role].keyId) {
      throw new Failure('invalid_request', `root: the role ${role} must be held by the key of this server alone.`);
    }
  }
  const targets = Buffer.from(offline.targets);
  const judged = readTargets(value, targets, now);
  if (!judged.ok) throw new Failure('invalid_request', `targets: ${judged.text}.`);
  if (judged.value.version !== 1 || judged.value.manifests.length > 0) {
    throw new Failure('invalid_request', 'targets: the first targets role has version 1 and no releases.');
  }
  const bootloader = Buffer.from(offline.bootloader, 'base64');
  const problem = bootloaderProblem(value.roles.root, bootloader, BOOTLOADER_IMAGE);
  if (problem) throw new Failure('invalid_request', `bootloader: ${problem.text}`);
  return { root: value, targets, bootloader };
}
