import { Failure } from '@sallyport/model';
import { type FirmwareManifest, nextRoot, readRoot, readTargets, type VerifiedRoot } from '@sallyport/trust/firmware';
import { z } from 'zod';
import type { RepositoryFolder } from './repository-folder.ts';

/** A signed role that is in force. */
export interface RoleInForce {
  readonly version: number;
  /** Milliseconds since the epoch. */
  readonly expires: number;
  readonly bytes: Uint8Array;
}

/** The signed roles in force, read back from disk. */
export interface RepositoryState {
  readonly root: VerifiedRoot;
  readonly targets: RoleInForce & { readonly manifests: readonly FirmwareManifest[] };
  readonly snapshot: RoleInForce;
  readonly timestamp: RoleInForce;
}

const role = z.object({
  signed: z.object({
    version: z.int(),
    expires: z.string(),
    meta: z.record(z.string(), z.object({ version: z.int() })),
  }),
});

/**
 * Reads what is in force. The timestamp is the one file that is replaced, and written last: what it names is complete.
 * Undefined if the repository was never made; `key_material_invalid` if its files do not fit together.
 */
export function readState(folder: RepositoryFolder): RepositoryState | undefined {
  const bytes = folder.read('timestamp.json');
  if (bytes === undefined) return undefined;
  try {
    const { root: newest, before } = newestRoots(folder);
    const timestamp = roleIn(bytes);
    const snapshot = roleIn(demanded(folder, `${timestamp.refers('snapshot.json')}.snapshot.json`));
    const targetsBytes = demanded(folder, `${snapshot.refers('targets.json')}.targets.json`);
    const byNewest = readTargets(newest, targetsBytes, 0);
    // Where a power cut came into a rotation the newest root may be there before the targets role that its keys sign.
    const isHalfWay = !byNewest.ok && byNewest.problem === 'under_signed' && before !== undefined;
    const root = isHalfWay ? before : newest;
    const targets = isHalfWay ? readTargets(before, targetsBytes, 0) : byNewest;
    if (!targets.ok) throw new Error(targets.text);
    return { root, timestamp, snapshot, targets: { ...targets.value, bytes: targetsBytes } };
  } catch (cause) {
    throw new Failure(
      'key_material_invalid',
      `The firmware repository does not fit together: ${(cause as Error).message}`,
      {
        cause,
        cure: 'Restore the folder firmware of the data directory from a backup.',
      },
    );
  }
}

function newestRoots(folder: RepositoryFolder): { readonly root: VerifiedRoot; readonly before?: VerifiedRoot } {
  const first = readRoot(demanded(folder, '1.root.json'));
  if (!first.ok) throw new Error(first.text);
  let root = first.value;
  let before: VerifiedRoot | undefined;
  for (;;) {
    const bytes = folder.read(`${root.version + 1}.root.json`);
    if (bytes === undefined) return { root, ...(before && { before }) };
    const next = nextRoot(root, bytes);
    if (!next.ok) throw new Error(next.text);
    before = root;
    root = next.value;
  }
}

function demanded(folder: RepositoryFolder, file: string): Buffer {
  const bytes = folder.read(file);
  if (bytes === undefined) throw new Error(`the file ${file} is missing`);
  return bytes;
}

function roleIn(bytes: Buffer): RoleInForce & { refers(file: string): number } {
  const { signed } = role.parse(JSON.parse(bytes.toString('utf8')));
  return {
    version: signed.version,
    expires: Date.parse(signed.expires),
    bytes,
    refers(file) {
      const meta = signed.meta[file];
      if (!meta) throw new Error(`${file} is not listed`);
      return meta.version;
    },
  };
}
