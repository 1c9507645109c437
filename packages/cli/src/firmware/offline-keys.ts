import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { OfflineFirmwareRoles } from '@sallyport/application/management';
import { Failure, type FirmwareSigningDocument } from '@sallyport/model';
import {
  type FirmwareManifest,
  generateRoleKey,
  openRoleKey,
  type RoleHolders,
  type RoleKey,
  readRoot,
  readTargets,
  rootMetadata,
  sealedRoleKeyId,
  sealRoleKey,
  signBootloader,
  targetsMetadata,
} from '@sallyport/trust/firmware';

const DAY = 86_400_000;
const ROOT_VALIDITY = 3650 * DAY;
const TARGETS_VALIDITY = 365 * DAY;
const BOOTLOADER_VERSION = 1;
/** Characters of a draft or public key: a targets role of 4 MB with room to spare. */
export const MAXIMUM_FILE = 16_000_000;

type OfflineRole = 'root' | 'targets';

export interface OfflineInit {
  readonly folder: string;
  readonly passphrase: string;
  /** How many root keys are made, and how many of them must sign. */
  readonly rootKeys: number;
  readonly rootThreshold: number;
  readonly now: number;
}

/**
 * Makes the keys of root and targets in a new folder, encrypted, and signs the first roles with them.
 *
 * @throws Failure `invalid_request` if the folder holds keys already
 */
export async function makeOfflineRoles(
  signing: FirmwareSigningDocument,
  init: OfflineInit,
): Promise<OfflineFirmwareRoles> {
  const { folder, passphrase, rootKeys, rootThreshold, now } = init;
  if ((await readdir(folder).catch(() => [])).length > 0) {
    throw new Failure('invalid_request', `The folder ${folder} is not empty.`, {
      cure: 'Name a new folder for the keys.',
    });
  }
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const root = Array.from({ length: rootKeys }, () => generateRoleKey());
  const targets = generateRoleKey();
  for (const [index, key] of root.entries()) await seal(folder, 'root', index + 1, key, passphrase);
  await seal(folder, 'targets', 1, targets, passphrase);
  const one = (key: RoleHolders['keys'][number]): RoleHolders => ({ keys: [key], threshold: 1 });
  const roles = {
    root: { keys: root, threshold: rootThreshold },
    targets: one(targets),
    snapshot: one(signing.snapshot),
    timestamp: one(signing.timestamp),
  };
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('utf8');
  const bootloader = signBootloader(Buffer.from(signing.bootloader, 'base64'), BOOTLOADER_VERSION, root);
  return {
    root: text(rootMetadata({ version: 1, expires: now + ROOT_VALIDITY, roles, signers: root })),
    targets: text(targetsMetadata({ version: 1, expires: now + TARGETS_VALIDITY, manifests: [], signers: [targets] })),
    bootloader: Buffer.from(bootloader).toString('base64'),
  };
}

/**
 * The next targets role, signed with the keys of the folder: what is in force, changed as asked.
 *
 * @throws Failure `key_material_invalid` if the folder does not hold enough keys
 */
export async function signTargets(
  signing: FirmwareSigningDocument,
  {
    folder,
    passphrase,
    now,
    change,
  }: {
    readonly folder: string;
    readonly passphrase: string;
    readonly now: number;
    readonly change: (manifests: readonly FirmwareManifest[]) => readonly FirmwareManifest[];
  },
): Promise<string> {
  const root = readRoot(Buffer.from(signing.root ?? ''));
  if (!root.ok) throw new Failure('key_material_invalid', `The root role of the server: ${root.text}.`);
  const current = readTargets(root.value, Buffer.from(signing.targets ?? ''), 0);
  if (!current.ok) throw new Failure('key_material_invalid', `The targets role of the server: ${current.text}.`);
  const { keys, threshold } = root.value.roles.targets;
  const signers = (await open(folder, 'targets', passphrase)).filter((key) =>
    keys.some(({ keyId }) => keyId === key.keyId),
  );
  if (signers.length < threshold) {
    throw new Failure(
      'key_material_invalid',
      `${folder} holds ${signers.length} of the ${threshold} keys that must sign.`,
      {
        cure: 'Name the folder that `sallyport firmware init --keys` made for this organisation.',
      },
    );
  }
  const bytes = targetsMetadata({
    version: current.value.version + 1,
    expires: now + TARGETS_VALIDITY,
    manifests: change(current.value.manifests),
    signers,
  });
  return Buffer.from(bytes).toString('utf8');
}

export interface NewKeys {
  readonly folder: string;
  readonly passphrase: string;
  readonly role: OfflineRole;
  readonly count: number;
}

/** A key that was made, and the file of its public half, which may be shown to anybody. */
export interface MadeKey {
  readonly role: OfflineRole;
  readonly keyId: string;
  readonly publicFile: string;
}

/** Makes keys in a folder, encrypted under a passphrase, each with the file of its public half. Files that are there stay. */
export async function makeOfflineKeys({ folder, passphrase, role, count }: NewKeys): Promise<readonly MadeKey[]> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const made: MadeKey[] = [];
  for (let left = count; left > 0; left--) {
    const key = generateRoleKey();
    const { keyId, publicKey } = key;
    const name = keyId.slice(0, 16);
    const publicFile = join(folder, `${role}-${name}.public.json`);
    await seal(folder, role, name, key, passphrase);
    await writeFile(publicFile, `${JSON.stringify({ role, keyId, publicKey }, null, 2)}\n`, { flag: 'wx' });
    made.push({ role, keyId, publicFile });
  }
  return made;
}

/** Opens those keys of a folder whose id occurs in a text: opening is dear, so that others stay closed. */
export async function openKeysListed(folder: string, passphrase: string, text: string): Promise<readonly RoleKey[]> {
  const keys: RoleKey[] = [];
  for (const role of ['root', 'targets'] as const) {
    for (const file of await filesOf(folder, role)) {
      if (text.includes(sealedRoleKeyId(file))) keys.push(await openRoleKey(role, file, passphrase));
    }
  }
  return keys;
}

async function seal(
  folder: string,
  role: OfflineRole,
  name: number | string,
  key: RoleKey,
  passphrase: string,
): Promise<void> {
  const text = await sealRoleKey(role, key, passphrase);
  await writeFile(join(folder, `${role}-${name}.key.json`), text, { mode: 0o600, flag: 'wx' });
}

async function open(folder: string, role: OfflineRole, passphrase: string): Promise<RoleKey[]> {
  const keys: RoleKey[] = [];
  for (const file of await filesOf(folder, role)) keys.push(await openRoleKey(role, file, passphrase));
  return keys;
}

/** The texts of the key files of a role. */
async function filesOf(folder: string, role: OfflineRole): Promise<readonly string[]> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw new Failure('key_material_invalid', `The folder of keys ${folder} cannot be read.`, { cause });
  });
  const files: string[] = [];
  for (const name of names.filter((one) => one.startsWith(`${role}-`) && one.endsWith('.key.json')).sort()) {
    files.push(await readFile(join(folder, name), 'utf8'));
  }
  return files;
}
