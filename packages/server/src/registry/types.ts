import {
  COMMAND_PROTECTIONS,
  type CommandProtection,
  Failure,
  type Metadata,
  PAYLOAD_ENCRYPTIONS,
  type Page,
  type PayloadEncryption,
  parseTypeId,
  SECURITY_LEVELS,
  type SecurityLevel,
  type TypeLimits,
  type UnlockSettings,
} from '@sallyport/model';
import { type PageRequest, pageLimit, pageOf } from '../storage/page.ts';
import { present } from '../storage/present.ts';
import { alreadyExists, checked, checkedDescription, checkedMetadata, checkedWord, notFound } from './checks.ts';
import { type Executor, type Ground, mutate } from './ground.ts';
import { organisationIn } from './organisations.ts';
import type { DeviceClass, DeviceType } from './records.ts';
import { typeOf } from './rows.ts';
import { checkedLimits } from './type-limits.ts';
import { checkedOwner, checkedUnlock } from './unlock-settings.ts';

export interface TypeName {
  readonly organisation: string;
  readonly id: string;
}

export interface Types {
  /** `class` is `device` if it is left out. */
  create(
    input: TypeName & {
      class?: DeviceClass;
      description?: string;
      security?: SecurityLevel;
      unlock?: UnlockSettings;
      /** Mail address. */
      owner?: string;
      commands?: CommandProtection;
      encryption?: PayloadEncryption;
      limits?: TypeLimits;
      metadata?: Metadata;
      by: string;
    },
  ): Promise<DeviceType>;
  get(name: TypeName): Promise<DeviceType>;
  list(input: { organisation: string } & PageRequest): Promise<Page<DeviceType>>;
  /** Those of all organisations that demand something of commands or payloads. */
  demanding(): Promise<readonly DeviceType[]>;
  /** Those of all organisations that have bounds of their own. */
  limited(): Promise<readonly DeviceType[]>;
  /** What is left out stays, `null` clears. */
  update(
    input: TypeName & {
      description?: string | null;
      security?: SecurityLevel | null;
      unlock?: UnlockSettings | null;
      owner?: string | null;
      commands?: CommandProtection | null;
      encryption?: PayloadEncryption | null;
      limits?: TypeLimits | null;
      metadata?: Metadata | null;
      by: string;
    },
  ): Promise<DeviceType>;
  /** Refused with `in_use` while it has devices. */
  remove(input: TypeName & { by: string }): Promise<void>;
}

/** The device type, or `not_found`. */
export async function typeIn(executor: Executor, { organisation, id }: TypeName): Promise<DeviceType> {
  const row = await executor
    .selectFrom('device_types')
    .selectAll()
    .where('organisation', '=', organisation)
    .where('id', '=', id)
    .executeTakeFirst();
  if (row) return typeOf(row);
  await organisationIn(executor, organisation);
  throw notFound(`Device type "${id}" of organisation "${organisation}"`);
}

export function types(ground: Ground): Types {
  const { query } = ground.database;
  return {
    async create(input) {
      const { organisation, id, by } = input;
      const row = {
        organisation,
        id: checked('id', parseTypeId(id)),
        class: checkedWord('class', input.class ?? 'device', ['device', 'gateway']),
        description: checkedDescription(input.description),
        security: input.security === undefined ? null : checkedWord('security', input.security, SECURITY_LEVELS),
        metadata: checkedMetadata(input.metadata),
        commands: wordOrNone('commands', input.commands, COMMAND_PROTECTIONS),
        encryption: wordOrNone('encryption', input.encryption, PAYLOAD_ENCRYPTIONS),
        created_at: ground.now(),
        unlock: checkedUnlock(input.unlock),
        owner: checkedOwner(input.owner),
        limits: checkedLimits(input.limits),
      };
      return mutate(ground, by, async (transaction, note) => {
        await organisationIn(transaction, organisation);
        const known = await transaction
          .selectFrom('device_types')
          .select('id')
          .where('organisation', '=', organisation)
          .where('id', '=', id)
          .executeTakeFirst();
        if (known) throw alreadyExists(`Device type "${id}" of organisation "${organisation}"`);
        await transaction.insertInto('device_types').values(row).execute();
        const { security, unlock, commands, encryption, limits } = row;
        const details = { class: row.class, ...present({ security, unlock, commands, encryption, limits }) };
        const type = typeOf(row);
        note({ kind: 'type', change: 'created', organisation, target: targetOf(input), type, details });
        return type;
      });
    },

    get: (name) => typeIn(query, name),

    async list({ organisation, ...page }) {
      await organisationIn(query, organisation);
      const limit = pageLimit(page.limit);
      let select = query
        .selectFrom('device_types')
        .selectAll()
        .where('organisation', '=', organisation)
        .orderBy('id')
        .limit(limit + 1);
      if (page.after !== undefined) select = select.where('id', '>', page.after);
      return pageOf(await select.execute(), limit, typeOf, (row) => row.id);
    },

    async demanding() {
      const rows = await query
        .selectFrom('device_types')
        .selectAll()
        .where((e) => e.or([e('commands', 'is not', null), e('encryption', 'is not', null)]))
        .execute();
      return rows.map(typeOf);
    },

    async limited() {
      const rows = await query.selectFrom('device_types').selectAll().where('limits', 'is not', null).execute();
      return rows.map(typeOf);
    },

    async update(input) {
      const changes = {
        ...(input.description !== undefined && { description: checkedDescription(input.description) }),
        ...(input.metadata !== undefined && { metadata: checkedMetadata(input.metadata) }),
        ...(input.unlock !== undefined && { unlock: checkedUnlock(input.unlock) }),
        ...(input.owner !== undefined && { owner: checkedOwner(input.owner) }),
        ...(input.limits !== undefined && { limits: checkedLimits(input.limits) }),
        ...(input.security !== undefined && {
          security: input.security === null ? null : checkedWord('security', input.security, SECURITY_LEVELS),
        }),
        ...(input.commands !== undefined && { commands: wordOrNone('commands', input.commands, COMMAND_PROTECTIONS) }),
        ...(input.encryption !== undefined && {
          encryption: wordOrNone('encryption', input.encryption, PAYLOAD_ENCRYPTIONS),
        }),
      };
      const { organisation, id } = input;
      return mutate(ground, input.by, async (transaction, note) => {
        const found = await typeIn(transaction, input);
        if (Object.keys(changes).length === 0) return found;
        await transaction
          .updateTable('device_types')
          .set(changes)
          .where('organisation', '=', organisation)
          .where('id', '=', id)
          .execute();
        const details = {
          changed: Object.keys(changes),
          ...('security' in changes && { security: changes.security ?? 'as the organisation' }),
          ...('unlock' in changes && { unlock: changes.unlock ?? 'off' }),
          ...('commands' in changes && { commands: changes.commands ?? 'any' }),
          ...('encryption' in changes && { encryption: changes.encryption ?? 'optional' }),
          ...('limits' in changes && { limits: changes.limits ?? 'none' }),
        };
        const type = await typeIn(transaction, input);
        note({ kind: 'type', change: 'updated', organisation, target: targetOf(input), type, details });
        return type;
      });
    },

    remove: (input) =>
      mutate(ground, input.by, async (transaction, note) => {
        const { organisation, id } = input;
        await typeIn(transaction, input);
        const left = await transaction
          .selectFrom('devices')
          .select('id')
          .where('organisation', '=', organisation)
          .where('type', '=', id)
          .executeTakeFirst();
        if (left) throw new Failure('in_use', `Device type "${id}" still has devices, for example "${left.id}".`);
        await transaction
          .deleteFrom('device_types')
          .where('organisation', '=', organisation)
          .where('id', '=', id)
          .execute();
        note({ kind: 'type', change: 'removed', organisation, target: targetOf(input) });
      }),
  };
}

function wordOrNone<T extends string>(field: string, value: string | null | undefined, words: readonly T[]): T | null {
  return value === null || value === undefined ? null : checkedWord(field, value, words);
}

function targetOf({ organisation, id }: TypeName): string {
  return `type:${organisation}/${id}`;
}
