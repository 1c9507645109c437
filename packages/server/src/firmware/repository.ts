import { rm } from 'node:fs/promises';
import { Failure, type FirmwareRepositoryDocument, type FirmwareSigningDocument } from '@sallyport/model';
import {
  FIRMWARE_ROLES,
  type FirmwareManifest,
  type FirmwareRole,
  generateRoleKey,
  nextRoot,
  type RoleKey,
  sameManifest,
  type VerifiedRoot,
} from '@sallyport/trust/firmware';
import type { Configuration } from '../config/schema.ts';
import { BOOTLOADER_IMAGE } from './bootloader-image.ts';
import { type OfflineRoles, readFirstRoles, signFirstRoles } from './first-roles.ts';
import { RepositoryFolder } from './repository-folder.ts';
import { type RepositoryState, readState } from './repository-state.ts';
import { beginRotation, begunRotation, endRotation, judgeRotation, type NextRootRole } from './root-rotation.ts';
import { Signer } from './signer.ts';
import { judgeTargets, type NewRelease, newManifest, nextTargets } from './targets-change.ts';
import { Uploads } from './uploads.ts';

export interface RepositoryOptions {
  /** Folder of all repositories. */
  readonly directory: string;
  readonly organisation: string;
  readonly settings: Configuration['firmware'];
  readonly now: () => number;
}

/** A role whose key lies on the server, whoever holds those of root and targets. */
export type OnlineRole = 'snapshot' | 'timestamp';

/** The largest sequence of each type; not a file that devices can read. */
const SEQUENCES = 'sequences.json';

/** The firmware repository of one organisation. Its changes are to be made one after the other. */
export class Repository {
  readonly folder: RepositoryFolder;
  readonly uploads: Uploads;
  readonly #signer: Signer;
  readonly #options: RepositoryOptions;
  #state: RepositoryState | undefined;

  constructor(options: RepositoryOptions) {
    const { directory, organisation, settings, now } = options;
    this.#options = options;
    this.folder = new RepositoryFolder(directory, organisation);
    this.uploads = new Uploads({ folder: this.folder, bounds: settings, now });
    this.#signer = new Signer({ folder: this.folder, validity: settings, now });
    this.#state = readState(this.folder);
  }

  get exists(): boolean {
    return this.#state !== undefined;
  }

  get manifests(): readonly FirmwareManifest[] {
    return this.#state?.targets.manifests ?? [];
  }

  /** The largest sequence that a type ever had, also of releases that were taken back: devices may run them. */
  highest(type: string): number {
    return Math.max(
      0,
      this.#sequences()[type] ?? 0,
      ...this.manifests.filter((one) => one.type === type).map((one) => one.sequence),
    );
  }

  find({ type, version }: Pick<FirmwareManifest, 'type' | 'version'>): FirmwareManifest | undefined {
    return this.manifests.find((one) => one.type === type && one.version === version);
  }

  /** Makes keys and the first signed roles, or takes root and targets as somebody has signed them elsewhere. */
  async initialise(offline?: OfflineRoles): Promise<void> {
    if (this.#state) throw new Failure('already_exists', 'The organisation has a firmware repository already.');
    this.folder.make();
    const snapshot = await this.#onlineKey('snapshot');
    const timestamp = await this.#onlineKey('timestamp');
    const { root, targets, bootloader } = offline
      ? readFirstRoles(offline, { snapshot, timestamp }, this.#options.now())
      : signFirstRoles(this.folder, this.#signer, { snapshot, timestamp });
    this.folder.write('bootloader.bin', BOOTLOADER_IMAGE);
    this.folder.write('bootloader.json', bootloader);
    this.folder.write('1.root.json', root.bytes);
    await this.#publish(root, { version: 1, bytes: targets });
  }

  /** What is needed to sign away from the server. Makes the keys that stay here, if there are none yet, or the next ones of the roles to exchange. */
  async signing(exchange: readonly OnlineRole[] = []): Promise<FirmwareSigningDocument> {
    this.folder.make();
    const key = (role: OnlineRole) => this.#onlineKey(role, exchange.includes(role));
    const [snapshot, timestamp] = [await key('snapshot'), await key('timestamp')];
    const open = ({ keyId, publicKey }: RoleKey) => ({ keyId, publicKey });
    const statement = this.folder.read('bootloader.json');
    return {
      ...(statement && { bootloaderStatement: statement.toString('base64') }),
      snapshot: open(snapshot),
      timestamp: open(timestamp),
      bootloader: Buffer.from(BOOTLOADER_IMAGE).toString('base64'),
      sequences: this.#sequences(),
      ...(this.#state && { root: textOf(this.#state.root.bytes), targets: textOf(this.#state.targets.bytes) }),
    };
  }

  /** Lets devices of a type run an image that was uploaded. Nothing is announced before the image is whole and on disk. */
  async release(input: NewRelease): Promise<FirmwareManifest> {
    const state = this.#demandState();
    const { type, version, digest, size } = input;
    if (this.find(input)) throw new Failure('already_exists', `There is a release ${version} for ${type} already.`);
    const { maximumReleases } = this.#options.settings;
    if (this.manifests.length >= maximumReleases) {
      throw new Failure('queue_full', `There are ${maximumReleases} releases; the bound is firmware.maximumReleases.`, {
        cure: 'Remove releases that no device needs, or raise firmware.maximumReleases.',
      });
    }
    const manifest = newManifest(input, this.highest(type));
    const manifests = [...this.manifests, manifest];
    const bytes = await nextTargets(this.#parts, state, manifests, input.targets);
    this.folder.makeTypeFolder(type);
    // Before it is in force: a number that was given and not used is lost, one that is used twice misleads devices.
    this.folder.write(SEQUENCES, Buffer.from(JSON.stringify({ ...this.#sequences(), [type]: manifest.sequence })));
    await this.uploads.finish({ digest, size, destination: this.folder.imagePath(manifest) });
    await this.#publish(state.root, { version: state.targets.version + 1, bytes });
    return manifest;
  }

  /** Takes a release back: devices do not find it any more. Those that run it go on. */
  async remove(name: Pick<FirmwareManifest, 'type' | 'version'>): Promise<void> {
    const state = this.#demandState();
    const found = this.find(name);
    if (!found) throw noRelease(name);
    const manifests = this.manifests.filter((one) => one !== found);
    await this.#publish(state.root, {
      version: state.targets.version + 1,
      bytes: await nextTargets(this.#parts, state, manifests, undefined),
    });
    await rm(this.folder.imagePath(found), { force: true });
  }

  /** Puts a targets role into force that was signed elsewhere: to renew it, or to take releases back. It may bring no new image. */
  async replaceTargets(text: string): Promise<void> {
    const state = this.#demandState();
    const bytes = Buffer.from(text);
    const { manifests } = judgeTargets(state, bytes, this.#options.now());
    const isKnown = (one: FirmwareManifest) => this.manifests.some((known) => sameManifest(known, one));
    const stranger = manifests.find((one) => !isKnown(one));
    if (stranger) {
      throw new Failure(
        'invalid_request',
        `targets: ${stranger.type} ${stranger.version} is no release of this repository.`,
        {
          cure: 'Add releases with their image: `sallyport firmware release`.',
        },
      );
    }
    const gone = this.manifests.filter((known) => !manifests.some((one) => sameManifest(known, one)));
    await this.#publish(state.root, { version: state.targets.version + 1, bytes });
    for (const manifest of gone) await rm(this.folder.imagePath(manifest), { force: true });
  }

  /** Puts the next root role into force, which other keys may speak in. Answers the roles whose holders changed. */
  async replaceRoot(given: NextRootRole): Promise<readonly FirmwareRole[]> {
    const before = this.#demandState();
    const rotation = await judgeRotation(this.#parts, before, given);
    beginRotation(this.folder, rotation);
    await this.#finishRotation();
    const holders = (root: VerifiedRoot, role: FirmwareRole) =>
      JSON.stringify([root.roles[role].threshold, ...root.roles[role].keys.map(({ keyId }) => keyId).sort()]);
    return FIRMWARE_ROLES.filter((role) => holders(before.root, role) !== holders(rotation.root, role));
  }

  /** Signs anew what would expire and whose keys lie here. Answers the roles that were renewed. */
  async renew(): Promise<readonly FirmwareRole[]> {
    await this.#finishRotation();
    const state = this.#state;
    if (!state) return [];
    const { settings } = this.#options;
    const renewed: FirmwareRole[] = [];
    let { root } = state;
    let targets: { version: number; bytes: Uint8Array } = state.targets;
    const rootKeys = await this.#signer.holds(root, 'root');
    if (rootKeys.length > 0 && this.#isDue(root.expires, settings.rootValidity)) {
      const bytes = this.#signer.root(root.version + 1, root.roles, rootKeys);
      const next = nextRoot(root, bytes);
      if (!next.ok) throw new Failure('internal', next.text);
      this.folder.write(`${next.value.version}.root.json`, bytes);
      root = next.value;
      renewed.push('root');
    }
    const targetsKeys = await this.#signer.holds(root, 'targets');
    if (targetsKeys.length > 0 && this.#isDue(state.targets.expires, settings.targetsValidity)) {
      const version = targets.version + 1;
      targets = { version, bytes: this.#signer.targets(version, this.manifests, targetsKeys) };
      renewed.push('targets');
    }
    const snapshotIsDue = this.#isDue(state.snapshot.expires, settings.snapshotValidity);
    if (renewed.length > 0 || snapshotIsDue) {
      await this.#publish(root, targets);
      return [...renewed, 'snapshot', 'timestamp'];
    }
    if (!this.#isDue(state.timestamp.expires, settings.timestampValidity)) return [];
    await this.#publishTimestamp(root, state.snapshot, state.timestamp.version + 1);
    return ['timestamp'];
  }

  async describe(): Promise<FirmwareRepositoryDocument> {
    const state = this.#demandState();
    const { root } = state;
    const roles = await Promise.all(
      FIRMWARE_ROLES.map(async (role) => ({
        role,
        threshold: root.roles[role].threshold,
        keys: root.roles[role].keys.map(({ keyId }) => keyId),
        version: state[role].version,
        expiresAt: new Date(state[role].expires).toISOString(),
        signedHere: (await this.#signer.holds(root, role)).length > 0,
      })),
    );
    const { organisation } = this.#options;
    const size = this.manifests.reduce((total, one) => total + one.size, 0);
    return { organisation, roles, releases: this.manifests.length, size };
  }

  async #finishRotation(): Promise<void> {
    const rotation = begunRotation(this.folder);
    if (!rotation) return;
    const { root, bootloader, targets } = rotation;
    this.folder.write('bootloader.json', bootloader);
    this.folder.write(`${root.version}.root.json`, root.bytes);
    await this.#publish(root, targets);
    await endRotation(this.folder, root);
  }

  get #parts() {
    return { folder: this.folder, signer: this.#signer, now: this.#options.now };
  }

  #sequences(): Readonly<Record<string, number>> {
    const bytes = this.folder.read(SEQUENCES);
    return bytes === undefined ? {} : (JSON.parse(bytes.toString('utf8')) as Record<string, number>);
  }

  #isDue(expires: number, validity: number): boolean {
    return expires - this.#options.now() < validity / 2;
  }

  #demandState(): RepositoryState {
    if (this.#state) return this.#state;
    throw new Failure('not_found', `Organisation ${this.#options.organisation} has no firmware repository yet.`, {
      cure: 'Make it with `sallyport firmware init`.',
    });
  }

  /** The key that the root role names, or, before there is one and where it is to be exchanged, another that waits for it. */
  async #onlineKey(role: OnlineRole, isNext = false): Promise<RoleKey> {
    const listed = this.#state?.root.roles[role].keys ?? [];
    const isInForce = (key: RoleKey) => listed.some(({ keyId }) => keyId === key.keyId);
    const here = await this.folder.keys(role);
    const known = this.#state && !isNext ? here.find(isInForce) : here.find((key) => !isInForce(key));
    if (known) return known;
    const key = generateRoleKey();
    this.folder.keep(role, key);
    return key;
  }

  /** Writes targets, then snapshot, then timestamp: a client sees the state before or the state after, wherever this ends. */
  async #publish(root: VerifiedRoot, targets: { version: number; bytes: Uint8Array }): Promise<void> {
    this.folder.write(`${targets.version}.targets.json`, targets.bytes);
    const version = (this.#state?.snapshot.version ?? 0) + 1;
    const bytes = this.#signer.snapshot(version, targets, await this.#signer.holds(root, 'snapshot'));
    this.folder.write(`${version}.snapshot.json`, bytes);
    await this.#publishTimestamp(root, { version, bytes }, (this.#state?.timestamp.version ?? 0) + 1);
  }

  async #publishTimestamp(
    root: VerifiedRoot,
    snapshot: { readonly version: number; readonly bytes: Uint8Array },
    version: number,
  ): Promise<void> {
    const keys = await this.#signer.holds(root, 'timestamp');
    this.folder.write('timestamp.json', this.#signer.timestamp(version, snapshot, keys));
    this.#state = readState(this.folder);
  }
}

/** No release has this type and version. */
export function noRelease({ type, version }: Pick<FirmwareManifest, 'type' | 'version'>): Failure {
  return new Failure('not_found', `There is no release ${version} for the device type ${type}.`, {
    cure: '`sallyport firmware list` shows them all.',
  });
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}
