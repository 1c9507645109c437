import { Failure, type Page, principalName, type RolloutDeviceDocument, type RolloutDocument } from '@sallyport/model';
import type { FirmwareManifest } from '@sallyport/trust/firmware';
import type { Configuration } from '../config/schema.ts';
import type { FirmwareEvent } from '../events/firmware-events.ts';
import type { Database } from '../storage/database.ts';
import type { PageRequest } from '../storage/page.ts';
import {
  type DeviceName,
  type DeviceWord,
  type ServerWord,
  type Step,
  serverWord,
  updateStatusText,
} from './device-words.ts';
import type { FirmwareChange } from './firmware-desk.ts';
import { type Rollout, RolloutRows, rolloutDocument, UNDER_WAY } from './rollout-rows.ts';
import { inShare } from './share.ts';
import { Turns } from './turns.ts';

export interface RolloutsOptions {
  readonly database: Database;
  readonly settings: Pick<Configuration['firmware'], 'maximumUpdating' | 'patience'>;
  readonly now: () => number;
  readonly random: (size: number) => Uint8Array;
  readonly findRelease: (
    organisation: string,
    name: { type: string; version: string },
  ) => Promise<FirmwareManifest | undefined>;
  /** Ids of the devices of a type in their order, a page at a time. */
  readonly listDevices: (input: { organisation: string; type: string; after?: string }) => Promise<Page<string>>;
  readonly isConnected: (device: DeviceName) => Promise<boolean>;
  readonly send: (device: DeviceName, word: ServerWord) => void;
  readonly record: (change: FirmwareChange) => Promise<void>;
  readonly emit: (event: FirmwareEvent) => void;
}

/** So few reports say nothing about a share. */
const FEWEST_REPORTS = 3;
/** Connected devices of one rollout that are remembered to wait for their turn; the others come when they connect again. */
const MOST_READY = 100_000;
const ID_ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const STEP_OF_REQUEST = /^fw:([0-9A-Z]{6}):([a-z]+)$/;

/**
 * Brings releases to devices, a bounded number at a time, in the words of the device management protocol. Each device is led from step to
 * step by what it says; what is on disk after each step is where it goes on after a restart.
 */
export class Rollouts {
  readonly #options: RolloutsOptions;
  readonly #rows: RolloutRows;
  readonly #turns = new Turns();
  /** By `ORGANISATION/TYPE`: what is under way, so that the words of other devices cost a look into a map. */
  readonly #running = new Map<string, Rollout>();
  /** Connected devices that wait for their turn, by rollout. */
  readonly #ready = new Map<string, Set<string>>();

  constructor(options: RolloutsOptions) {
    this.#options = options;
    this.#rows = new RolloutRows(options.database, options.now);
  }

  /** Takes up what was under way when the server ended. */
  async resumeAll(): Promise<void> {
    for (const rollout of await this.#rows.running()) this.#running.set(keyOf(rollout), rollout);
  }

  async start(
    input: { organisation: string; type: string; version: string; percent: number; haltAbove: number },
    by: string,
  ): Promise<RolloutDocument> {
    const { organisation, type, version } = input;
    if (!(await this.#options.findRelease(organisation, { type, version }))) {
      throw new Failure('not_found', `There is no release ${version} for the device type ${type}.`, {
        cure: '`sallyport firmware list` shows them all.',
      });
    }
    return this.#turns.take(organisation, async () => {
      const other = this.#running.get(keyOf(input));
      if (other) {
        throw new Failure('in_use', `The rollout ${other.id} of ${type}/${other.version} is under way.`, {
          cure: `Wait for it, or give it up: sallyport firmware rollout abort ${other.id}`,
        });
      }
      const rollout: Rollout = {
        ...input,
        id: this.#newId(),
        state: 'running',
        createdAt: this.#options.now(),
        createdBy: by,
      };
      await this.#rows.insert(rollout);
      const { percent, haltAbove } = input;
      await this.#record('rollout.started', rollout, by, { percent, haltAbove });
      return this.#run(rollout);
    });
  }

  resume(organisation: string, id: string, percent: number | undefined, by: string): Promise<RolloutDocument> {
    return this.#turns.take(organisation, async () => {
      const found = await this.#rows.get(organisation, id);
      if (found.state === 'aborted') {
        throw new Failure('invalid_request', `The rollout ${id} was given up.`, { cure: 'Start a new one.' });
      }
      const other = this.#running.get(keyOf(found));
      if (other && other.id !== id)
        throw new Failure('in_use', `The rollout ${other.id} of the same type is under way.`);
      const share = percent ?? found.percent;
      if (share < found.percent) {
        throw new Failure('invalid_request', `percent: the share is ${found.percent} already; it can only grow.`);
      }
      const { cause: _, ...rest } = found;
      const rollout: Rollout = { ...rest, percent: share, state: 'running' };
      await this.#rows.set(id, { state: 'running', percent: share, cause: null });
      await this.#rows.retryFailed(id);
      await this.#record('rollout.resumed', rollout, by, { percent: share });
      return this.#run(rollout);
    });
  }

  halt(organisation: string, id: string, by: string): Promise<RolloutDocument> {
    return this.#end(organisation, id, by, 'halted');
  }

  abort(organisation: string, id: string, by: string): Promise<RolloutDocument> {
    return this.#end(organisation, id, by, 'aborted');
  }

  async get(organisation: string, id: string): Promise<RolloutDocument> {
    return this.#document(await this.#rows.get(organisation, id));
  }

  async list(organisation: string, page: PageRequest): Promise<Page<RolloutDocument>> {
    const { items, ...next } = await this.#rows.list(organisation, page);
    return { items: await Promise.all(items.map((one) => this.#document(one))), ...next };
  }

  async devices(organisation: string, id: string, page: PageRequest): Promise<Page<RolloutDeviceDocument>> {
    await this.#rows.get(organisation, id);
    return this.#rows.devices(id, page);
  }

  /** Takes what a device said. */
  async hear(device: DeviceName, word: DeviceWord): Promise<void> {
    const rollout = this.#running.get(keyOf(device));
    if (!rollout) return;
    await this.#turns.take(device.organisation, () => this.#answer(rollout.id, device, word));
  }

  /** Counts as failed who has not said a word for too long. */
  async sweep(): Promise<void> {
    const { now, settings } = this.#options;
    for (const rollout of [...this.#running.values()]) {
      await this.#turns.take(rollout.organisation, async () => {
        for (const id of await this.#rows.silentSince(rollout.id, now() - settings.patience)) {
          const device = { organisation: rollout.organisation, type: rollout.type, id };
          await this.#conclude(rollout, device, 'failed', 'it has not said a word for too long');
        }
        await this.#proceed(rollout);
      });
    }
  }

  async forget(organisation: string): Promise<void> {
    for (const [key, rollout] of this.#running) if (rollout.organisation === organisation) this.#running.delete(key);
    await this.#rows.removeOrganisation(organisation);
  }

  async #answer(id: string, device: DeviceName, word: DeviceWord): Promise<void> {
    const rollout = this.#running.get(keyOf(device));
    if (rollout?.id !== id || word.said === 'piece') return;
    const state = await this.#rows.device(id, device.id);
    if (word.said === 'manage') {
      if (state === undefined && !inShare(rollout, device.id)) return;
      if (state === undefined) await this.#rows.addDevices(id, [device.id]);
      if (word.version === rollout.version) {
        if (state !== 'succeeded') await this.#conclude(rollout, device, 'succeeded');
      } else if (state === undefined || state === 'waiting' || state === 'offered') {
        this.#readyOf(id).add(device.id);
      }
      return this.#proceed(rollout);
    }
    if (state === undefined || !UNDER_WAY.includes(state)) return;
    const failed = async (detail: string) => {
      await this.#conclude(rollout, device, 'failed', detail);
      await this.#proceed(rollout);
    };
    if (word.said === 'boot') {
      if (word.report.outcome !== 'booted' && state === 'installing') {
        await failed(
          `${word.report.outcome ?? 'stopped'} at ${word.report.stage ?? '?'}: ${word.report.reason ?? '?'}`,
        );
      }
      return;
    }
    if (word.said === 'response') {
      const step = STEP_OF_REQUEST.exec(word.reqId);
      if (step?.[1] !== id) return;
      if (word.rc >= 400) return failed(`it answered ${word.rc} to ${step[2]}: ${word.message ?? 'no reason'}`);
      if (step[2] === 'offer') this.#say(device, id, 'observe');
      if (step[2] === 'observe') this.#say(device, id, 'download');
      if (step[2] === 'download' && state === 'offered') await this.#rows.setDevice(id, device.id, 'downloading');
      if (step[2] === 'update') await this.#rows.setDevice(id, device.id, 'installing');
      return;
    }
    const { state: download, updateStatus = 0 } = word;
    if (updateStatus > 1) return failed(updateStatusText(updateStatus));
    if (download === 1) await this.#rows.setDevice(id, device.id, 'downloading');
    if (download === 2 && state !== 'installing') {
      await this.#rows.setDevice(id, device.id, 'downloaded');
      this.#say(device, id, 'update');
    }
    if (updateStatus === 1) await this.#rows.setDevice(id, device.id, 'installing');
    if (download === 0 && updateStatus === 0 && state === 'installing') {
      await this.#conclude(rollout, device, 'succeeded');
      this.#say(device, id, 'cancel');
      await this.#proceed(rollout);
    }
  }

  async #run(rollout: Rollout): Promise<RolloutDocument> {
    this.#running.set(keyOf(rollout), rollout);
    const { organisation, type } = rollout;
    let after: string | undefined;
    do {
      const page = await this.#options.listDevices({ organisation, type, ...(after === undefined ? {} : { after }) });
      const chosen = page.items.filter((device) => inShare(rollout, device));
      await this.#rows.addDevices(rollout.id, chosen);
      for (const id of chosen) {
        if (await this.#options.isConnected({ organisation, type, id })) this.#remember(rollout.id, id);
      }
      after = page.next;
    } while (after !== undefined);
    await this.#proceed(rollout);
    return this.get(organisation, rollout.id);
  }

  /** Offers the release to as many as may be at work, then looks whether the end is reached. */
  async #proceed(rollout: Rollout): Promise<void> {
    if (this.#running.get(keyOf(rollout))?.id !== rollout.id) return;
    const { organisation, type, version, id } = rollout;
    const counts = await this.#rows.counts(id);
    let room = this.#options.settings.maximumUpdating - UNDER_WAY.reduce((sum, state) => sum + counts[state], 0);
    const ready = this.#readyOf(id);
    const manifest = await this.#options.findRelease(organisation, { type, version });
    if (!manifest) return this.#stop(rollout, 'halted', `the release ${type}/${version} was removed`);
    for (const device of ready) {
      const name = { organisation, type, id: device };
      const state = await this.#rows.device(id, device);
      // One that was offered it and came back may have lost the offer with its connection.
      if (state === 'offered' && (await this.#options.isConnected(name))) this.#offer(name, id, manifest);
      else if (state === 'waiting' && (await this.#options.isConnected(name))) {
        if (room <= 0) break;
        room--;
        await this.#rows.setDevice(id, device, 'offered');
        this.#offer(name, id, manifest);
      }
      ready.delete(device);
    }
    await this.#judge(rollout);
  }

  async #judge(rollout: Rollout): Promise<void> {
    const counts = await this.#rows.counts(rollout.id);
    const { succeeded, failed, waiting } = counts;
    const reported = succeeded + failed;
    const under = UNDER_WAY.reduce((sum, state) => sum + counts[state], 0);
    const enough = reported >= FEWEST_REPORTS || waiting + under === 0;
    if (failed > 0 && enough && (failed * 100) / reported > rollout.haltAbove) {
      return this.#stop(rollout, 'halted', `${failed} of ${reported} devices failed`);
    }
    if (reported > 0 && waiting + under === 0) return this.#stop(rollout, 'finished', undefined, { succeeded, failed });
  }

  async #stop(rollout: Rollout, state: 'halted' | 'finished', cause?: string, details: object = {}): Promise<void> {
    this.#running.delete(keyOf(rollout));
    this.#ready.delete(rollout.id);
    await this.#rows.set(rollout.id, { state, cause: cause ?? null });
    this.#options.emit({
      type: `rollout.${state}`,
      organisation: rollout.organisation,
      target: targetOf(rollout),
      details: { ...details, ...(cause === undefined ? {} : { cause }) },
    });
  }

  #end(organisation: string, id: string, by: string, state: 'halted' | 'aborted'): Promise<RolloutDocument> {
    return this.#turns.take(organisation, async () => {
      const rollout = await this.#rows.get(organisation, id);
      if (rollout.state === 'aborted' || (state === 'halted' && rollout.state !== 'running')) {
        throw new Failure('invalid_request', `The rollout ${id} is ${rollout.state}.`, { cure: 'Look at its status.' });
      }
      if (this.#running.get(keyOf(rollout))?.id === id) this.#running.delete(keyOf(rollout));
      this.#ready.delete(id);
      await this.#rows.set(id, { state, cause: `by ${by}` });
      await this.#record(`rollout.${state}`, rollout, by, state === 'halted' ? { cause: `by ${by}` } : {});
      return this.get(organisation, id);
    });
  }

  async #conclude(rollout: Rollout, device: DeviceName, state: 'succeeded' | 'failed', detail?: string): Promise<void> {
    await this.#rows.setDevice(rollout.id, device.id, state, detail ?? null);
    this.#options.emit({
      type: `rollout.device.${state}`,
      organisation: device.organisation,
      principal: principalName({ kind: 'device', ...device }),
      target: targetOf(rollout),
      ...(detail === undefined ? {} : { detail }),
    });
  }

  #offer(device: DeviceName, rollout: string, manifest: FirmwareManifest): void {
    this.#options.send(device, serverWord('offer', `fw:${rollout}:offer`, manifest, this.#options.now()));
  }

  #say(device: DeviceName, rollout: string, step: Step): void {
    this.#options.send(device, serverWord(step, `fw:${rollout}:${step}`));
  }

  #remember(rollout: string, device: string): void {
    const ready = this.#readyOf(rollout);
    if (ready.size < MOST_READY) ready.add(device);
  }

  #readyOf(rollout: string): Set<string> {
    let ready = this.#ready.get(rollout);
    if (!ready) {
      ready = new Set();
      this.#ready.set(rollout, ready);
    }
    return ready;
  }

  async #document(rollout: Rollout): Promise<RolloutDocument> {
    return rolloutDocument(rollout, await this.#rows.counts(rollout.id));
  }

  #record(action: string, rollout: Rollout, by: string, details: Readonly<Record<string, unknown>>): Promise<void> {
    return this.#options.record({ action, by, organisation: rollout.organisation, target: targetOf(rollout), details });
  }

  #newId(): string {
    return Array.from(this.#options.random(6), (byte) => ID_ALPHABET[byte % ID_ALPHABET.length]).join('');
  }
}

function keyOf({ organisation, type }: { readonly organisation: string; readonly type: string }): string {
  return `${organisation}/${type}`;
}

function targetOf({ organisation, type, version, id }: Rollout): string {
  return `rollout:${organisation}/${id} (${type}/${version})`;
}
