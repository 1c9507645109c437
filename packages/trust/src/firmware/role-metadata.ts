import { createHash } from 'node:crypto';
import { Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp } from '@tufjs/models';
import { type FirmwareManifest, targetPathOf } from './manifest.ts';
import { publicRoleKey, type RoleKey } from './role-key.ts';

/** The four roles of a firmware repository (TUF section 2.1). */
export const FIRMWARE_ROLES = ['root', 'targets', 'snapshot', 'timestamp'] as const;
export type FirmwareRole = (typeof FIRMWARE_ROLES)[number];

const SPEC_VERSION = '1.0.31';

/** Which keys speak for a role and how many of them must. */
export interface RoleHolders {
  readonly keys: readonly Pick<RoleKey, 'keyId' | 'publicKey'>[];
  readonly threshold: number;
}

interface Issue {
  readonly version: number;
  /** Milliseconds since the epoch. */
  readonly expires: number;
  readonly signers: readonly RoleKey[];
}

/** The signed root role: which keys speak for every role. */
export function rootMetadata({
  roles,
  ...issue
}: Issue & { readonly roles: Readonly<Record<FirmwareRole, RoleHolders>> }): Uint8Array {
  const root = Root.fromJSON({
    _type: 'root',
    spec_version: SPEC_VERSION,
    version: issue.version,
    expires: written(issue.expires),
    consistent_snapshot: true,
    keys: Object.fromEntries(
      FIRMWARE_ROLES.flatMap((role) => roles[role].keys.map((key) => [key.keyId, publicRoleKey(key).toJSON()])),
    ),
    roles: Object.fromEntries(
      FIRMWARE_ROLES.map((role) => [
        role,
        { keyids: roles[role].keys.map(({ keyId }) => keyId), threshold: roles[role].threshold },
      ]),
    ),
  });
  return signed(new Metadata(root), issue.signers);
}

/** The signed targets role: every image that devices may run, each with its manifest. */
export function targetsMetadata({
  manifests,
  ...issue
}: Issue & { readonly manifests: readonly FirmwareManifest[] }): Uint8Array {
  const targets = new Targets({ ...common(issue) });
  for (const manifest of manifests) {
    targets.addTarget(
      TargetFile.fromJSON(targetPathOf(manifest), {
        length: manifest.size,
        hashes: { sha256: manifest.digest },
        custom: { ...manifest },
      }),
    );
  }
  return signed(new Metadata(targets), issue.signers);
}

/** The signed snapshot role: which version of `targets` belongs to this state of the repository. */
export function snapshotMetadata({
  targets,
  ...issue
}: Issue & { readonly targets: { readonly version: number; readonly bytes: Uint8Array } }): Uint8Array {
  const meta = { 'targets.json': metaFile(targets) };
  return signed(new Metadata(new Snapshot({ ...common(issue), meta })), issue.signers);
}

/** The signed timestamp role: which snapshot is the newest. */
export function timestampMetadata({
  snapshot,
  ...issue
}: Issue & { readonly snapshot: { readonly version: number; readonly bytes: Uint8Array } }): Uint8Array {
  const snapshotMeta = metaFile(snapshot);
  return signed(new Metadata(new Timestamp({ ...common(issue), snapshotMeta })), issue.signers);
}

function common({ version, expires }: Issue) {
  return { version, expires: written(expires), specVersion: SPEC_VERSION };
}

/** Whole seconds, as the specification writes times (TUF section 4.2). */
function written(time: number): string {
  return new Date(time).toISOString().replace(/\.\d{3}Z$/, 'Z');
}

function metaFile({ version, bytes }: { readonly version: number; readonly bytes: Uint8Array }): MetaFile {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return new MetaFile({ version, length: bytes.length, hashes: { sha256 } });
}

function signed<T extends Root | Targets | Snapshot | Timestamp>(
  metadata: Metadata<T>,
  signers: readonly RoleKey[],
): Uint8Array {
  for (const signer of signers) metadata.sign((bytes) => signer.sign(bytes));
  return Buffer.from(`${JSON.stringify(metadata.toJSON())}\n`);
}
