import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '@sallyport/model';
import { type FirmwareManifest, readTargets } from '@sallyport/trust/firmware';
import { BaseFetcher, Updater } from 'tuf-js';
import { DownloadHTTPError } from 'tuf-js/dist/error.js';
import type { Flash } from '../boot/flash.ts';
import type { Rom } from '../boot/rom.ts';
import { followRoots } from '../boot/verify-slot.ts';
import type { FirmwareSource } from './firmware-source.ts';

const FILE = 'trusted-roles.json';
const WORK = 'tuf';

/** The signed roles that the device has come to believe, beginning with the pinned root. */
export interface TrustedRoles {
  /** Root roles that follow on the pinned one, oldest first. */
  readonly roots: readonly string[];
  readonly timestamp?: string;
  readonly snapshot?: string;
  readonly targets?: string;
}

/** What a device may run, by roles that hold now. */
export interface Offer {
  readonly roles: TrustedRoles & { readonly targets: string };
  readonly manifests: readonly FirmwareManifest[];
}

/**
 * Brings the roles up to date as TUF demands (version, threshold, expiry, consistency; specification section 5) and answers the images that
 * the repository offers. What was believed before is kept in one file, so that a power cut cannot leave half of it.
 *
 * @throws Failure `firmware_rejected` if the repository is not to be believed
 */
export async function refreshRoles(flash: Flash, rom: Rom, source: FirmwareSource, now: number): Promise<Offer> {
  const before = flash.readJson<TrustedRoles>(FILE) ?? { roots: [] };
  const folder = flash.pathOf(WORK);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const put = (role: string, text: string | Uint8Array | undefined) => {
    if (text !== undefined) writeFileSync(join(folder, `${role}.json`), text, { mode: 0o600 });
  };
  put('root', before.roots.at(-1) ?? rom.root.bytes);
  for (const role of ['timestamp', 'snapshot', 'targets'] as const) put(role, before[role]);

  const fetcher = new SourceFetcher(source);
  const base = 'https://repository.invalid';
  const updater = new Updater({
    metadataDir: folder,
    metadataBaseUrl: `${base}/metadata`,
    targetDir: folder,
    targetBaseUrl: `${base}/targets`,
    fetcher,
    config: { maxDelegations: 0 },
  });
  try {
    await updater.refresh();
  } catch (cause) {
    keepBelieved(flash, rom, before, fetcher.roots);
    if (fetcher.failure) throw fetcher.failure;
    throw rejected(`The firmware repository is not believed: ${(cause as Error).message}.`, cause);
  }
  const get = (role: string) => readFileSync(join(folder, `${role}.json`), 'utf8');
  const roots = [...before.roots, ...fetcher.roots];
  const roles = { roots, timestamp: get('timestamp'), snapshot: get('snapshot'), targets: get('targets') };
  rmSync(folder, { recursive: true, force: true });

  const root = followRoots(rom.root, roots);
  if ('reason' in root) throw rejected(root.text);
  const targets = readTargets(root.root, Buffer.from(roles.targets), now);
  if (!targets.ok) throw rejected(`${targets.text}.`);
  flash.writeJson(FILE, roles);
  return { roles, manifests: targets.value.manifests };
}

/**
 * What was believed before something else was not is kept (specification 5.3.8, 5.4.5, 5.5.7): above all a newer root, so that keys that it
 * took away speak for nothing any more although the rest did not come.
 */
function keepBelieved(flash: Flash, rom: Rom, before: TrustedRoles, fetched: readonly string[]): void {
  const roots = [...before.roots];
  let root = followRoots(rom.root, roots);
  for (const text of fetched) {
    if ('reason' in root) return;
    root = followRoots(root.root, [text]);
    if (!('reason' in root)) roots.push(text);
  }
  const get = (role: string) => flash.read(`${WORK}/${role}.json`)?.toString('utf8');
  const [timestamp, snapshot, targets] = [get('timestamp'), get('snapshot'), get('targets')];
  flash.writeJson(FILE, {
    roots,
    ...(timestamp !== undefined && { timestamp }),
    ...(snapshot !== undefined && { snapshot }),
    ...(targets !== undefined && { targets }),
  });
  rmSync(flash.pathOf(WORK), { recursive: true, force: true });
}

/** Something about firmware was not believed; nothing of it was installed. */
export function rejected(message: string, cause?: unknown): Failure {
  return new Failure('firmware_rejected', message, { cause });
}

/** Lets tuf-js read from any source, and remembers the roots that it was given. */
class SourceFetcher extends BaseFetcher {
  readonly roots: string[] = [];
  failure: Failure | undefined;
  readonly #source: FirmwareSource;

  constructor(source: FirmwareSource) {
    super();
    this.#source = source;
  }

  override async fetch(url: string): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    const path = decodeURIComponent(new URL(url).pathname).slice(1);
    try {
      const bytes = await this.#source.read(path, 0);
      // The one error by which tuf-js learns that there is no newer root.
      if (bytes === undefined) throw new DownloadHTTPError('there is no such file', 404);
      return ReadableStream.from(bytes) as ReadableStream<Uint8Array<ArrayBuffer>>;
    } catch (error) {
      if (error instanceof Failure) this.failure = error;
      throw error;
    }
  }

  override async downloadBytes(url: string, maximum: number): Promise<Buffer> {
    const bytes = await super.downloadBytes(url, maximum);
    if (/\/\d+\.root\.json$/.test(url)) this.roots.push(bytes.toString('utf8'));
    return bytes;
  }
}
