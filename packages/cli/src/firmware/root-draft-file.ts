import { readFile, writeFile } from 'node:fs/promises';
import { Failure, type FirmwareSigningDocument } from '@sallyport/model';
import {
  draftRoot,
  FIRMWARE_ROLES,
  type FirmwareRole,
  isRoleKeyId,
  parseDraft,
  type RoleHolders,
  type RootDraft,
  readRoot,
} from '@sallyport/trust/firmware';
import { UsageError } from '../report-failure.ts';
import { MAXIMUM_FILE } from './offline-keys.ts';

const DAY = 86_400_000;
const ROOT_VALIDITY = 3650 * DAY;
const TARGETS_VALIDITY = 365 * DAY;

type PublicKey = RoleHolders['keys'][number];

/** Who is to speak for the roles from the next root role on. */
export interface RootChange {
  readonly add: readonly { readonly role: FirmwareRole; readonly key: PublicKey }[];
  /** Key ids, or how they begin. */
  readonly remove: readonly { readonly role: FirmwareRole; readonly keyId: string }[];
  readonly threshold: readonly { readonly role: FirmwareRole; readonly count: number }[];
  /** Roles that get another key of the server. */
  readonly exchange: readonly ('snapshot' | 'timestamp')[];
}

/**
 * Begins the next root role from the one that a server has in force.
 *
 * @throws UsageError if a key to remove is not there, or a role would have fewer keys than must sign
 */
export function draftFrom(signing: FirmwareSigningDocument, change: RootChange, now: number): RootDraft {
  const { root, targets, bootloaderStatement } = signing;
  if (root === undefined || targets === undefined || bootloaderStatement === undefined) {
    throw new Failure('not_found', 'There is no firmware repository yet.', { cure: 'Run `sallyport firmware init`.' });
  }
  const previous = readRoot(Buffer.from(root));
  if (!previous.ok) throw new Failure('key_material_invalid', `The root role of the server: ${previous.text}.`);
  const roles = { ...previous.value.roles };
  for (const role of FIRMWARE_ROLES) roles[role] = changed(role, roles[role], change);
  for (const role of change.exchange) roles[role] = { keys: [signing[role]], threshold: 1 };
  return draftRoot({
    previous: root,
    roles,
    expires: now + ROOT_VALIDITY,
    targetsExpire: now + TARGETS_VALIDITY,
    bootloader: bootloaderStatement,
    targets,
  });
}

/** Reads the public half of a key from the file that `sallyport firmware root key` wrote. Anything else is a `key_material_invalid` failure. */
export async function readPublicKey(file: string): Promise<PublicKey> {
  const text = await textOf(file);
  try {
    const { keyId, publicKey } = JSON.parse(text) as PublicKey;
    if (isRoleKeyId({ keyId, publicKey })) return { keyId, publicKey };
  } catch {
    // Said below.
  }
  throw new Failure('key_material_invalid', `The file ${file} holds no public key of a firmware role.`, {
    cure: 'Name the file …public.json that `sallyport firmware root key` wrote.',
  });
}

export async function readDraft(file: string): Promise<RootDraft> {
  return parseDraft(await textOf(file));
}

/** Writes a draft; a new one does not replace a file that is there. */
export async function writeDraft(file: string, draft: RootDraft, isNew: boolean): Promise<void> {
  await writeFile(file, `${JSON.stringify(draft, null, 2)}\n`, { flag: isNew ? 'wx' : 'w' }).catch((cause: unknown) => {
    throw new Failure('invalid_request', `The file ${file} cannot be written.`, { cause, cure: 'Name a new file.' });
  });
}

function changed(role: FirmwareRole, before: RoleHolders, { add, remove, threshold }: RootChange): RoleHolders {
  const kept = [...before.keys];
  for (const one of remove.filter((each) => each.role === role)) {
    const found = kept.filter(({ keyId }) => keyId.startsWith(one.keyId));
    if (found.length !== 1) {
      throw new UsageError(
        `${found.length === 0 ? 'No key' : 'More than one key'} of the role ${role} begins with ${one.keyId}.`,
        'See the ids of the keys with `sallyport firmware root show`.',
      );
    }
    kept.splice(kept.indexOf(found[0] as PublicKey), 1);
  }
  for (const { key } of add.filter((each) => each.role === role)) {
    if (!kept.some(({ keyId }) => keyId === key.keyId)) kept.push(key);
  }
  const count = threshold.findLast((each) => each.role === role)?.count ?? before.threshold;
  if (kept.length < count) {
    throw new UsageError(
      `The role ${role} would have ${kept.length} keys, and ${count} of them must sign.`,
      `Add keys, or lower the number: --threshold ${role}=${Math.max(kept.length, 1)}.`,
    );
  }
  return { keys: kept, threshold: count };
}

async function textOf(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new Failure('invalid_request', `The file ${file} cannot be read.`, { cause });
  });
  if (text.length > MAXIMUM_FILE) throw new Failure('invalid_request', `The file ${file} is too large.`);
  return text;
}
