import {
  Failure,
  type Page,
  ROLLOUT_DEVICE_STATES,
  type RolloutDeviceDocument,
  type RolloutDeviceState,
  type RolloutDocument,
  type RolloutState,
} from '@sallyport/model';
import type { Selectable } from 'kysely';
import type { Database } from '../storage/database.ts';
import { type PageRequest, pageLimit, pageOf } from '../storage/page.ts';
import type { FirmwareRolloutsTable } from '../storage/tables.ts';

/** A rollout on record. Times in milliseconds since the epoch. */
export interface Rollout {
  readonly id: string;
  readonly organisation: string;
  readonly type: string;
  readonly version: string;
  readonly percent: number;
  readonly haltAbove: number;
  readonly state: RolloutState;
  readonly cause?: string;
  readonly createdAt: number;
  readonly createdBy: string;
}

/** States in which a device is at work. */
export const UNDER_WAY: readonly RolloutDeviceState[] = ['offered', 'downloading', 'downloaded', 'installing'];

/** Rollouts and their devices on disk. */
export class RolloutRows {
  readonly #database: Database;
  readonly #now: () => number;

  constructor(database: Database, now: () => number) {
    this.#database = database;
    this.#now = now;
  }

  async insert(rollout: Rollout): Promise<void> {
    await this.#database.query
      .insertInto('firmware_rollouts')
      .values({
        id: rollout.id,
        organisation: rollout.organisation,
        type: rollout.type,
        version: rollout.version,
        percent: rollout.percent,
        halt_above: rollout.haltAbove,
        state: rollout.state,
        cause: null,
        created_at: rollout.createdAt,
        created_by: rollout.createdBy,
      })
      .execute();
  }

  async get(organisation: string, id: string): Promise<Rollout> {
    const row = await this.#database.query
      .selectFrom('firmware_rollouts')
      .selectAll()
      .where('organisation', '=', organisation)
      .where('id', '=', id)
      .executeTakeFirst();
    if (row) return rolloutOf(row);
    throw new Failure('not_found', `There is no rollout ${id} in the organisation ${organisation}.`, {
      cure: '`sallyport firmware rollout status` shows them all.',
    });
  }

  /** Newest first. */
  async list(organisation: string, page: PageRequest): Promise<Page<Rollout>> {
    const limit = pageLimit(page.limit);
    let select = this.#database.query
      .selectFrom('firmware_rollouts')
      .selectAll()
      .where('organisation', '=', organisation)
      .orderBy('sequence', 'desc')
      .limit(limit + 1);
    if (page.after !== undefined) select = select.where('sequence', '<', Number(page.after));
    return pageOf(await select.execute(), limit, rolloutOf, (row) => String(row.sequence));
  }

  async running(): Promise<readonly Rollout[]> {
    const rows = await this.#database.query
      .selectFrom('firmware_rollouts')
      .selectAll()
      .where('state', '=', 'running')
      .execute();
    return rows.map(rolloutOf);
  }

  async set(id: string, change: { state?: RolloutState; percent?: number; cause?: string | null }): Promise<void> {
    await this.#database.query.updateTable('firmware_rollouts').set(change).where('id', '=', id).execute();
  }

  /** Adds devices that wait; those that are in it already stay as they are. */
  async addDevices(id: string, devices: readonly string[]): Promise<void> {
    if (devices.length === 0) return;
    const at = this.#now();
    const values = devices.map((device) => ({ rollout: id, device, state: 'waiting', detail: null, updated_at: at }));
    await this.#database.query
      .insertInto('firmware_rollout_devices')
      .values(values)
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }

  async device(id: string, device: string): Promise<RolloutDeviceState | undefined> {
    const row = await this.#database.query
      .selectFrom('firmware_rollout_devices')
      .select('state')
      .where('rollout', '=', id)
      .where('device', '=', device)
      .executeTakeFirst();
    return row?.state as RolloutDeviceState | undefined;
  }

  async setDevice(id: string, device: string, state: RolloutDeviceState, detail: string | null = null): Promise<void> {
    await this.#database.query
      .updateTable('firmware_rollout_devices')
      .set({ state, detail, updated_at: this.#now() })
      .where('rollout', '=', id)
      .where('device', '=', device)
      .execute();
  }

  /** Lets those that failed wait for another try. */
  async retryFailed(id: string): Promise<void> {
    await this.#database.query
      .updateTable('firmware_rollout_devices')
      .set({ state: 'waiting', detail: null, updated_at: this.#now() })
      .where('rollout', '=', id)
      .where('state', '=', 'failed')
      .execute();
  }

  async counts(id: string): Promise<Readonly<Record<RolloutDeviceState, number>>> {
    const rows = await this.#database.query
      .selectFrom('firmware_rollout_devices')
      .select(({ fn }) => ['state', fn.countAll<number>().as('count')])
      .where('rollout', '=', id)
      .groupBy('state')
      .execute();
    const counts = Object.fromEntries(ROLLOUT_DEVICE_STATES.map((state) => [state, 0])) as Record<
      RolloutDeviceState,
      number
    >;
    for (const { state, count } of rows) counts[state as RolloutDeviceState] = Number(count);
    return counts;
  }

  async devices(id: string, page: PageRequest): Promise<Page<RolloutDeviceDocument>> {
    const limit = pageLimit(page.limit);
    let select = this.#database.query
      .selectFrom('firmware_rollout_devices')
      .selectAll()
      .where('rollout', '=', id)
      .orderBy('device')
      .limit(limit + 1);
    if (page.after !== undefined) select = select.where('device', '>', page.after);
    const item = (row: { device: string; state: string; detail: string | null; updated_at: number }) => ({
      device: row.device,
      state: row.state as RolloutDeviceState,
      ...(row.detail === null ? {} : { detail: row.detail }),
      updatedAt: new Date(Number(row.updated_at)).toISOString(),
    });
    return pageOf(await select.execute(), limit, item, (row) => row.device);
  }

  /** Devices that are under way and have not been heard of since a moment; at most 100. */
  async silentSince(id: string, since: number): Promise<readonly string[]> {
    const rows = await this.#database.query
      .selectFrom('firmware_rollout_devices')
      .select('device')
      .where('rollout', '=', id)
      .where('state', 'in', [...UNDER_WAY])
      .where('updated_at', '<', since)
      .limit(100)
      .execute();
    return rows.map(({ device }) => device);
  }

  async removeOrganisation(organisation: string): Promise<void> {
    await this.#database.transaction(async (transaction) => {
      const ids = transaction.selectFrom('firmware_rollouts').select('id').where('organisation', '=', organisation);
      await transaction.deleteFrom('firmware_rollout_devices').where('rollout', 'in', ids).execute();
      await transaction.deleteFrom('firmware_rollouts').where('organisation', '=', organisation).execute();
    });
  }
}

/** As the API writes it. */
export function rolloutDocument(rollout: Rollout, devices: RolloutDocument['devices']): RolloutDocument {
  return { ...rollout, createdAt: new Date(rollout.createdAt).toISOString(), devices };
}

function rolloutOf(row: Selectable<FirmwareRolloutsTable>): Rollout {
  return {
    id: row.id,
    organisation: row.organisation,
    type: row.type,
    version: row.version,
    percent: Number(row.percent),
    haltAbove: Number(row.halt_above),
    state: row.state as RolloutState,
    ...(row.cause === null ? {} : { cause: row.cause }),
    createdAt: Number(row.created_at),
    createdBy: row.created_by,
  };
}
