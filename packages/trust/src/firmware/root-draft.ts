import { Failure } from '@sallyport/model';
import { Metadata, MetadataKind } from '@tufjs/models';
import { bootloaderProblem, bootloaderSigners, countersignBootloader } from './bootloader.ts';
import type { RoleKey } from './role-key.ts';
import { FIRMWARE_ROLES, type FirmwareRole, type RoleHolders, rootMetadata, targetsMetadata } from './role-metadata.ts';
import { parseRoot, readRoot, readTargets, roleSigners, type VerifiedRoot } from './verify-role.ts';

const FORMAT = 'sallyport-root-draft-1';

/**
 * The next root role on its way from one holder of keys to the next: it wanders as a file, and each adds signatures. What it holds is public.
 */
export interface RootDraft {
  readonly format: typeof FORMAT;
  /** The signed root role in force. */
  readonly previous: string;
  /** The root role that is to follow, with the signatures that it has so far. */
  readonly next: string;
  /** Base64 of the statement about the bootloader; devices that pin the new root need it signed by the new keys too. */
  readonly bootloader: string;
  /** The next targets role; there only if other keys sign it from now on. */
  readonly targets?: string;
}

export interface RootDraftParts {
  readonly previous: string;
  readonly roles: Readonly<Record<FirmwareRole, RoleHolders>>;
  /** Milliseconds since the epoch. */
  readonly expires: number;
  /** Milliseconds since the epoch; of the targets role, if other keys sign it from now on. */
  readonly targetsExpire: number;
  readonly bootloader: string;
  /** The signed targets role in force. */
  readonly targets: string;
}

/** Signatures that a role has, of those that it needs. */
export interface SignatureCount {
  readonly by: 'old root' | 'new root' | 'bootloader' | 'new targets';
  readonly signed: number;
  readonly needed: number;
}

/** What a draft changes, and what it still lacks. */
export interface RootDraftView {
  readonly version: number;
  readonly expires: number;
  readonly changes: readonly {
    readonly role: FirmwareRole;
    readonly before: RoleHolders;
    readonly after: RoleHolders;
  }[];
  readonly signatures: readonly SignatureCount[];
}

/** Begins the next root role: nobody has signed it yet. */
export function draftRoot(parts: RootDraftParts): RootDraft {
  const previous = demand(readRoot(Buffer.from(parts.previous)), 'The root role in force');
  const { roles, expires, bootloader } = parts;
  const next = text(rootMetadata({ version: previous.version + 1, expires, roles, signers: [] }));
  const root = demand(parseRoot(Buffer.from(next)), 'The next root role');
  const held = readTargets(root, Buffer.from(parts.targets), 0);
  const draft = { format: FORMAT, previous: parts.previous, next, bootloader } as const;
  if (held.ok) return draft;
  const targets = demand(readTargets(previous, Buffer.from(parts.targets), 0), 'The targets role in force');
  const renewed = { version: targets.version + 1, expires: parts.targetsExpire, manifests: targets.manifests };
  return { ...draft, targets: text(targetsMetadata({ ...renewed, signers: [] })) };
}

/**
 * Adds the signatures of those keys that the old or the new root role lists; others are left aside.
 *
 * @throws Failure `key_material_invalid` if the draft is none, does not follow on its root role, or would have other bytes signed as bootloader
 */
export function signDraft(draft: RootDraft, keys: readonly RoleKey[]): RootDraft {
  const { previous, next } = rootsOf(draft);
  const listed = (role: FirmwareRole, ...roots: readonly VerifiedRoot[]) =>
    keys.filter((key) => roots.some((root) => root.roles[role].keys.some(({ keyId }) => keyId === key.keyId)));
  const rootKeys = listed('root', previous, next);
  const bootloader = Buffer.from(draft.bootloader, 'base64');
  return {
    ...draft,
    next: countersignRole('root', draft.next, rootKeys),
    bootloader: Buffer.from(countersignBootloader(bootloader, rootKeys)).toString('base64'),
    ...(draft.targets !== undefined && {
      targets: countersignRole('targets', draft.targets, listed('targets', next)),
    }),
  };
}

/** What a draft changes, and how many signatures it has. Fails as {@link signDraft} does. */
export function viewDraft(draft: RootDraft): RootDraftView {
  const { previous, next } = rootsOf(draft);
  const bootloader = Buffer.from(draft.bootloader, 'base64');
  const count = (by: SignatureCount['by'], signers: readonly string[], { threshold }: RoleHolders) => ({
    by,
    signed: signers.length,
    needed: threshold,
  });
  const written = Buffer.from(draft.next);
  const [old, fresh] = [previous.roles.root, next.roles.root];
  const { targets } = next.roles;
  return {
    version: next.version,
    expires: next.expires,
    changes: FIRMWARE_ROLES.flatMap((role) => {
      const [before, after] = [previous.roles[role], next.roles[role]];
      return sameHolders(before, after) ? [] : [{ role, before, after }];
    }),
    signatures: [
      count('old root', roleSigners('root', old.keys, written), old),
      count('new root', roleSigners('root', fresh.keys, written), fresh),
      count('bootloader', bootloaderSigners(fresh.keys, bootloader), fresh),
      ...(draft.targets === undefined
        ? []
        : [count('new targets', roleSigners('targets', targets.keys, Buffer.from(draft.targets)), targets)]),
    ],
  };
}

/** Reads a draft as it was written to a file. Anything else is a `key_material_invalid` failure. */
export function parseDraft(written: string): RootDraft {
  try {
    const draft = JSON.parse(written) as RootDraft;
    const texts = [draft.previous, draft.next, draft.bootloader, draft.targets ?? ''];
    if (draft.format === FORMAT && texts.every((one) => typeof one === 'string')) return draft;
  } catch {
    // Said below.
  }
  throw new Failure('key_material_invalid', 'The file holds no draft of a root role.', {
    cure: 'Name the file that `sallyport firmware root draft` wrote.',
  });
}

/** Adds signatures to a signed role; those that it has stay. */
export function countersignRole(role: 'root' | 'targets', written: string, keys: readonly RoleKey[]): string {
  const kind = role === 'root' ? MetadataKind.Root : MetadataKind.Targets;
  const metadata = Metadata.fromJSON(kind as MetadataKind.Root, JSON.parse(written) as never);
  for (const key of keys) metadata.sign((bytes) => key.sign(bytes));
  return `${JSON.stringify(metadata.toJSON())}\n`;
}

/** The two roots of a draft: the old one holds by itself, the new one is its next version, and the bootloader is the one that was signed before. */
function rootsOf(draft: RootDraft): { readonly previous: VerifiedRoot; readonly next: VerifiedRoot } {
  const previous = demand(readRoot(Buffer.from(draft.previous)), 'The old root role of the draft');
  const next = demand(parseRoot(Buffer.from(draft.next)), 'The new root role of the draft');
  if (next.version !== previous.version + 1) {
    throw new Failure(
      'key_material_invalid',
      `The draft has root version ${next.version}; ${previous.version + 1} comes next.`,
    );
  }
  const problem = bootloaderProblem(previous.roles.root, Buffer.from(draft.bootloader, 'base64'));
  if (problem) throw new Failure('key_material_invalid', `The bootloader of the draft: ${problem.text}`);
  return { previous, next };
}

function sameHolders(a: RoleHolders, b: RoleHolders): boolean {
  const ids = ({ keys }: RoleHolders) =>
    keys
      .map(({ keyId }) => keyId)
      .sort()
      .join();
  return a.threshold === b.threshold && ids(a) === ids(b);
}

function demand<T>(
  read: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly text: string },
  what: string,
): T {
  if (read.ok) return read.value;
  throw new Failure('key_material_invalid', `${what}: ${read.text}.`);
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}
