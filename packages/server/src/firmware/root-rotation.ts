import { Failure } from '@sallyport/model';
import {
  bootloaderProblem,
  countersignBootloader,
  countersignRole,
  FIRMWARE_ROLES,
  type FirmwareManifest,
  type FirmwareRole,
  nextRoot,
  parseRoot,
  type RoleKey,
  readTargets,
  sameManifest,
  type VerifiedRoot,
} from '@sallyport/trust/firmware';
import { BOOTLOADER_IMAGE } from './bootloader-image.ts';
import type { RepositoryFolder } from './repository-folder.ts';
import type { RepositoryState } from './repository-state.ts';
import type { Signer } from './signer.ts';

/** The next root role as its holders have signed it. */
export interface NextRootRole {
  readonly root: string;
  /** Base64 of the statement about the bootloader, signed by the old and the new keys. */
  readonly bootloader: string;
  /** The next targets role, if other keys sign it from now on. */
  readonly targets?: string;
}

/** A root role that was believed, with what goes into force with it. */
export interface Rotation {
  readonly root: VerifiedRoot;
  readonly bootloader: Uint8Array;
  readonly targets: { readonly version: number; readonly bytes: Uint8Array };
}

export interface RotationParts {
  readonly folder: RepositoryFolder;
  readonly signer: Signer;
  readonly now: () => number;
}

/** Written before anything else, so that a power cut in the midst is made good at the next start; not a file that devices can read. */
const JOURNAL = 'next-root.json';
/** Keys that one role may have. */
const MOST_KEYS = 32;

/**
 * Judges the next root role as a device will (TUF section 5.3.4): signed by the thresholds of the old and the new keys, exactly one version
 * later; and as an operator needs it: this server can go on signing, the releases stay. What root keys lie here sign as well.
 *
 * @throws Failure `invalid_request`, `changed_meanwhile`
 */
export async function judgeRotation(
  { folder, signer, now }: RotationParts,
  state: RepositoryState,
  given: NextRootRole,
): Promise<Rotation> {
  const unsigned = parseRoot(Buffer.from(given.root));
  if (!unsigned.ok) throw invalid(`${unsigned.text}.`);
  if (unsigned.value.version !== state.root.version + 1) {
    throw new Failure('changed_meanwhile', `root: version ${state.root.version + 1} comes next.`, {
      cure: 'Draft it anew: `sallyport firmware root draft`.',
    });
  }
  const here = await folder.keys('root');
  const own = here.filter((key) => isListed(state.root, 'root', key) || isListed(unsigned.value, 'root', key));
  const root = nextRoot(state.root, Buffer.from(countersignRole('root', given.root, own)));
  if (!root.ok) {
    throw invalid(`${root.text}.`, 'See who has to sign with `sallyport firmware root show FILE`.');
  }
  await demandKeys(root.value, signer, now());
  const bootloader = countersigned(Buffer.from(given.bootloader, 'base64'), own);
  for (const { roles } of [state.root, root.value]) {
    const problem = bootloaderProblem(roles.root, bootloader, BOOTLOADER_IMAGE);
    if (problem) throw invalid(`bootloader: ${problem.text}`);
  }
  return {
    root: root.value,
    bootloader,
    targets: await targetsUnder(root.value, { signer, now }, state, given.targets),
  };
}

/** From now on the rotation takes place, whatever happens. */
export function beginRotation(folder: RepositoryFolder, { root, bootloader, targets }: Rotation): void {
  const journal = {
    root: Buffer.from(root.bytes).toString('utf8'),
    bootloader: Buffer.from(bootloader).toString('base64'),
    targets: { version: targets.version, text: Buffer.from(targets.bytes).toString('utf8') },
  };
  folder.write(JOURNAL, Buffer.from(JSON.stringify(journal)));
}

/** The rotation that was begun and not ended. */
export function begunRotation(folder: RepositoryFolder): Rotation | undefined {
  const bytes = folder.read(JOURNAL);
  if (bytes === undefined) return undefined;
  const journal = JSON.parse(bytes.toString('utf8')) as {
    readonly root: string;
    readonly bootloader: string;
    readonly targets: { readonly version: number; readonly text: string };
  };
  const root = parseRoot(Buffer.from(journal.root));
  if (!root.ok) throw new Failure('key_material_invalid', `The root role that was begun: ${root.text}.`);
  const { version, text } = journal.targets;
  return {
    root: root.value,
    bootloader: Buffer.from(journal.bootloader, 'base64'),
    targets: { version, bytes: Buffer.from(text) },
  };
}

/** Everything is in force: forgets the keys that speak for nobody any more, and that a rotation was begun. */
export async function endRotation(folder: RepositoryFolder, root: VerifiedRoot): Promise<void> {
  for (const role of FIRMWARE_ROLES) {
    for (const key of await folder.keys(role)) if (!isListed(root, role, key)) folder.drop(role, key);
  }
  folder.remove(JOURNAL);
}

async function demandKeys(root: VerifiedRoot, signer: Signer, now: number): Promise<void> {
  if (root.expires <= now) throw invalid(`root: it expired at ${new Date(root.expires).toISOString()}.`);
  for (const role of FIRMWARE_ROLES) {
    const { keys, threshold } = root.roles[role];
    if (keys.length > MOST_KEYS) throw invalid(`root: the role ${role} has ${keys.length} keys; at most ${MOST_KEYS}.`);
    if (threshold < 1 || threshold > keys.length) {
      throw invalid(`root: ${threshold} of the ${keys.length} keys of the role ${role} cannot sign.`);
    }
  }
  for (const role of ['snapshot', 'timestamp'] as const) {
    if ((await signer.holds(root, role)).length === 0) {
      throw invalid(
        `root: this server does not hold the key of the role ${role}.`,
        'Draft it with `--exchange`, which asks the server for its next key.',
      );
    }
    for (const offline of ['root', 'targets'] as const) {
      if (root.roles[role].keys.some((key) => isListed(root, offline, key))) {
        throw invalid(`root: a key of the role ${role}, which lies on the server, would speak for ${offline} too.`);
      }
    }
  }
}

/** The targets role that goes into force: the one that is, or the one that was brought, or one that is signed here. */
async function targetsUnder(
  root: VerifiedRoot,
  { signer, now }: Pick<RotationParts, 'signer' | 'now'>,
  state: RepositoryState,
  given: string | undefined,
): Promise<Rotation['targets']> {
  const version = state.targets.version + 1;
  if (given !== undefined) {
    const bytes = Buffer.from(given);
    const judged = readTargets(root, bytes, now());
    if (!judged.ok) throw invalid(`${judged.text}.`);
    if (judged.value.version !== version || !sameReleases(judged.value.manifests, state.targets.manifests)) {
      throw new Failure('changed_meanwhile', 'targets: the releases have changed since the draft was made.', {
        cure: 'Draft it anew: `sallyport firmware root draft`.',
      });
    }
    return { version, bytes };
  }
  if (readTargets(root, state.targets.bytes, 0).ok) return state.targets;
  const keys = await signer.holds(root, 'targets');
  if (keys.length === 0) throw invalid('targets: the new keys have not signed the releases.');
  return { version, bytes: signer.targets(version, state.targets.manifests, keys) };
}

function countersigned(statement: Buffer, own: readonly RoleKey[]): Uint8Array {
  try {
    return countersignBootloader(statement, own);
  } catch (cause) {
    throw new Failure('invalid_request', 'bootloader: the statement cannot be read.', { cause });
  }
}

function isListed(root: VerifiedRoot, role: FirmwareRole, { keyId }: Pick<RoleKey, 'keyId'>): boolean {
  return root.roles[role].keys.some((one) => one.keyId === keyId);
}

function sameReleases(a: readonly FirmwareManifest[], b: readonly FirmwareManifest[]): boolean {
  return a.length === b.length && a.every((one) => b.some((other) => sameManifest(one, other)));
}

function invalid(text: string, cure?: string): Failure {
  return new Failure('invalid_request', text, cure === undefined ? {} : { cure });
}
