import { Metadata, MetadataKind, type Root, type Targets } from '@tufjs/models';
import { type FirmwareManifest, parseManifest, targetPathOf } from './manifest.ts';
import { publicRoleKey } from './role-key.ts';
import { FIRMWARE_ROLES, type FirmwareRole, type RoleHolders } from './role-metadata.ts';

/** Why metadata is not believed. */
export type RoleProblem = 'malformed' | 'under_signed' | 'expired' | 'too_old' | 'wrong_role';

export type RoleVerification<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: RoleProblem; readonly text: string };

/** A root role that was believed. */
export interface VerifiedRoot {
  readonly version: number;
  /** Milliseconds since the epoch. */
  readonly expires: number;
  readonly roles: Readonly<Record<FirmwareRole, RoleHolders>>;
  readonly bytes: Uint8Array;
}

/** A targets role that was believed. */
export interface VerifiedTargets {
  readonly version: number;
  readonly expires: number;
  readonly manifests: readonly FirmwareManifest[];
}

/** Takes a root role by itself, because it was pinned: it must be signed by the threshold of its own keys. Expiry is left to who uses it. */
export function readRoot(bytes: Uint8Array): RoleVerification<VerifiedRoot> {
  return attempt('root', bytes, (json) => {
    const metadata = Metadata.fromJSON(MetadataKind.Root, json as never);
    metadata.verifyDelegate('root', metadata);
    return rootOf(metadata, bytes);
  });
}

/** Reads a root role without asking who has signed it: for one that is on its way from one holder of keys to the next. */
export function parseRoot(bytes: Uint8Array): RoleVerification<VerifiedRoot> {
  return attempt('root', bytes, (json) => rootOf(Metadata.fromJSON(MetadataKind.Root, json as never), bytes));
}

/** Which of these keys have signed a root or targets role: their ids. */
export function roleSigners(role: 'root' | 'targets', keys: RoleHolders['keys'], bytes: Uint8Array): readonly string[] {
  const json = JSON.parse(Buffer.from(bytes).toString('utf8')) as never;
  const kind = role === 'root' ? MetadataKind.Root : MetadataKind.Targets;
  const metadata = Metadata.fromJSON(kind as MetadataKind.Root, json);
  return keys.filter((key) => hasSigned(key, metadata)).map(({ keyId }) => keyId);
}

/** Follows from one root to the next: signed by the threshold of the old one and of itself, and exactly one version later (TUF section 5.3). */
export function nextRoot(current: VerifiedRoot, bytes: Uint8Array): RoleVerification<VerifiedRoot> {
  const next = readRoot(bytes);
  if (!next.ok) return next;
  if (next.value.version !== current.version + 1) {
    return problem('too_old', `root version ${next.value.version} does not follow on ${current.version}`);
  }
  return attempt('root', bytes, (json) => {
    trusted(current).verifyDelegate('root', Metadata.fromJSON(MetadataKind.Root, json as never));
    return next.value;
  });
}

/** Judges a targets role by a believed root at a given time (milliseconds since the epoch). Every manifest in it must fit its target. */
export function readTargets(root: VerifiedRoot, bytes: Uint8Array, now: number): RoleVerification<VerifiedTargets> {
  return attempt('targets', bytes, (json) => {
    const metadata = Metadata.fromJSON(MetadataKind.Targets, json as never);
    trusted(root).verifyDelegate('targets', metadata);
    const expires = Date.parse(metadata.signed.expires);
    if (root.expires <= now)
      return problem('expired', `the root role expired at ${new Date(root.expires).toISOString()}`);
    if (!(expires > now)) return problem('expired', `the targets role expired at ${metadata.signed.expires}`);
    return { version: metadata.signed.version, expires, manifests: manifestsOf(metadata.signed) };
  });
}

/** The manifests of a targets role whose signatures are judged elsewhere. Throws if one does not fit its target. */
function manifestsOf({ targets }: Targets): FirmwareManifest[] {
  return Object.entries(targets).map(([path, target]) => {
    const manifest = parseManifest(target.custom);
    if (!manifest.ok) throw new TypeError(`target ${path}: ${manifest.problem}`);
    const { value } = manifest;
    const fits = path === targetPathOf(value) && target.length === value.size && target.hashes.sha256 === value.digest;
    if (!fits) throw new TypeError(`target ${path} is not what its manifest describes`);
    return value;
  });
}

function rootOf(metadata: Metadata<Root>, bytes: Uint8Array): VerifiedRoot {
  const { version, expires, roles, keys } = metadata.signed;
  const holders = (role: FirmwareRole): RoleHolders => ({
    threshold: roles[role]?.threshold ?? 1,
    keys: (roles[role]?.keyIDs ?? []).flatMap((keyId) => {
      const publicKey = keys[keyId]?.keyVal.public;
      return publicKey === undefined ? [] : [{ keyId, publicKey }];
    }),
  });
  for (const role of FIRMWARE_ROLES) {
    const listed = holders(role).keys.map(({ publicKey }) => publicKey);
    if (new Set(listed).size < listed.length) throw new TypeError(`the role ${role} lists one key under two ids`);
  }
  const ends = Date.parse(expires);
  if (Number.isNaN(ends)) throw new TypeError('the root role has no date at which it expires');
  const [root, targets, snapshot, timestamp] = FIRMWARE_ROLES.map(holders) as [
    RoleHolders,
    RoleHolders,
    RoleHolders,
    RoleHolders,
  ];
  return { version, expires: ends, roles: { root, targets, snapshot, timestamp }, bytes };
}

function hasSigned(key: RoleHolders['keys'][number], metadata: Metadata<Root>): boolean {
  try {
    publicRoleKey(key).verifySignature(metadata);
    return true;
  } catch {
    return false;
  }
}

function trusted({ bytes }: VerifiedRoot): Metadata<Root> {
  return Metadata.fromJSON(MetadataKind.Root, JSON.parse(Buffer.from(bytes).toString('utf8')) as never);
}

function attempt<T extends object>(
  role: FirmwareRole,
  bytes: Uint8Array,
  judge: (json: unknown) => T | RoleVerification<never>,
): RoleVerification<T> {
  try {
    const json: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    const found = (json as { readonly signed?: { readonly _type?: unknown } }).signed?._type;
    if (found !== role) return problem('wrong_role', `${role} was expected and ${JSON.stringify(found)} came`);
    const judged = judge(json);
    return 'ok' in judged ? judged : { ok: true, value: judged };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    const underSigned = error instanceof Error && error.constructor.name === 'UnsignedMetadataError';
    return problem(underSigned ? 'under_signed' : 'malformed', `${role}: ${text}`);
  }
}

function problem(kind: RoleProblem, text: string): RoleVerification<never> {
  return { ok: false, problem: kind, text };
}
