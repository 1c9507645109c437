import {
  type Metadata,
  type Page,
  parseDeviceId,
  principalName,
  UNLOCK_MODES,
  type UnlockMode,
} from '@sallyport/model';
import { type PageRequest, pageLimit, pageOf } from '../storage/page.ts';
import {
  alreadyExists,
  checked,
  checkedDescription,
  checkedMetadata,
  checkedWord,
  invalid,
  notFound,
} from './checks.ts';
import { type Executor, type Ground, mutate, type Noted } from './ground.ts';
import { chosenOrGenerated, credentialDetails, insertCredential } from './issue.ts';
import { organisationIn } from './organisations.ts';
import type { Device, DeviceType, GatewayRole, Issued } from './records.ts';
import { listAsRevoked } from './revoked-certificates.ts';
import { deviceOf } from './rows.ts';
import { typeIn } from './types.ts';
import { checkedOwner } from './unlock-settings.ts';

export interface DeviceName {
  readonly organisation: string;
  readonly type: string;
  readonly id: string;
}

export interface NewDevice extends DeviceName {
  readonly description?: string;
  readonly metadata?: Metadata;
  /** Gateways only; `privileged` if left out. */
  readonly gatewayRole?: GatewayRole;
  /** As the device type says if left out; so is the owner. */
  readonly unlock?: UnlockMode;
  /** Mail address. */
  readonly owner?: string;
  readonly by: string;
}

/** Devices and gateways: which of the two it is, is said by the type. */
export interface Devices {
  /** With a token: a chosen one, or one that is generated. */
  create(input: NewDevice & { token?: string; expiresAt?: number }): Promise<Issued<Device>>;
  /** Without any credential: a device that a gateway speaks for, or that will show a certificate. */
  register(input: NewDevice): Promise<Device>;
  get(name: DeviceName): Promise<Device>;
  list(input: { organisation: string; type?: string; class?: Device['class'] } & PageRequest): Promise<Page<Device>>;
  /** What is left out stays, `null` clears. */
  update(
    input: DeviceName & {
      description?: string | null;
      metadata?: Metadata | null;
      gatewayRole?: GatewayRole;
      unlock?: UnlockMode | null;
      owner?: string | null;
      by: string;
    },
  ): Promise<Device>;
  /** Its credentials end with it. */
  remove(input: DeviceName & { by: string }): Promise<void>;
  suspend(input: DeviceName & { by: string }): Promise<Device>;
  resume(input: DeviceName & { by: string }): Promise<Device>;
}

const GATEWAY_ROLES = ['standard', 'privileged'] as const;

/** The device or gateway, or `not_found`. */
export async function deviceIn(executor: Executor, { organisation, type, id }: DeviceName): Promise<Device> {
  const row = await executor
    .selectFrom('devices')
    .selectAll()
    .where('organisation', '=', organisation)
    .where('type', '=', type)
    .where('id', '=', id)
    .executeTakeFirst();
  if (row) return deviceOf(row);
  const known = await typeIn(executor, { organisation, id: type });
  throw notFound(nameOf({ organisation, type, id, class: known.class }));
}

/** Writes a device or gateway within a transaction. */
async function insertDevice(ground: Ground, transaction: Executor, input: NewDevice): Promise<Device> {
  const { organisation, type, id } = input;
  const known = await typeIn(transaction, { organisation, id: type });
  const row = {
    organisation,
    type,
    id: checked('id', parseDeviceId(id)),
    class: known.class,
    description: checkedDescription(input.description),
    metadata: checkedMetadata(input.metadata),
    gateway_role: gatewayRole(known, input.gatewayRole),
    created_at: ground.now(),
    suspended_at: null,
    unlock: unlockMode(input.unlock),
    owner: checkedOwner(input.owner),
  };
  const taken = await rowExists(transaction, input);
  if (taken) throw alreadyExists(nameOf(deviceOf(row)));
  await transaction.insertInto('devices').values(row).execute();
  return deviceOf(row);
}

/** Registers a device without a credential, within a transaction. `how` is for the audit row. */
export async function insertWithoutCredential(
  ground: Ground,
  transaction: Executor,
  note: (change: Noted) => void,
  input: NewDevice,
  how: string,
): Promise<Device> {
  const record = await insertDevice(ground, transaction, input);
  note({ ...changeOf(record), change: 'created', details: { credential: how } });
  return record;
}

export function devices(ground: Ground): Devices {
  const { query } = ground.database;

  const change = (
    input: DeviceName & { by: string },
    kind: 'updated' | 'suspended' | 'resumed',
    changesOf: (device: Device) => Readonly<Record<string, string | number | null>>,
  ): Promise<Device> =>
    mutate(ground, input.by, async (transaction, note) => {
      const found = await deviceIn(transaction, input);
      const changes = changesOf(found);
      if (Object.keys(changes).length === 0) return found;
      await transaction
        .updateTable('devices')
        .set(changes)
        .where('organisation', '=', input.organisation)
        .where('type', '=', input.type)
        .where('id', '=', input.id)
        .execute();
      note({
        ...changeOf(found),
        change: kind,
        ...(kind === 'updated' && { details: { changed: Object.keys(changes) } }),
      });
      return deviceIn(transaction, input);
    });

  return {
    async create(input) {
      const token = chosenOrGenerated(ground, input.token, [input.organisation, input.type, input.id]);
      const tokenHash = ground.hashToken(token);
      return mutate(ground, input.by, async (transaction, note) => {
        const record = await insertDevice(ground, transaction, input);
        const { by, expiresAt } = input;
        const principal = nameOf(record);
        const credential = await insertCredential(ground, transaction, { principal, tokenHash, expiresAt, by });
        note({ ...changeOf(record), change: 'created', details: credentialDetails(credential) });
        return { record, credential, token };
      });
    },

    register: (input) =>
      mutate(ground, input.by, (transaction, note) =>
        insertWithoutCredential(ground, transaction, note, input, 'none'),
      ),

    get: (name) => deviceIn(query, name),

    async list({ organisation, type, class: kind, ...page }) {
      if (type === undefined) await organisationIn(query, organisation);
      else await typeIn(query, { organisation, id: type });
      const limit = pageLimit(page.limit);
      let select = query
        .selectFrom('devices')
        .selectAll()
        .where('organisation', '=', organisation)
        .orderBy('type')
        .orderBy('id')
        .limit(limit + 1);
      if (type !== undefined) select = select.where('type', '=', type);
      if (kind !== undefined) select = select.where('class', '=', kind);
      if (page.after !== undefined) {
        const [afterType = '', afterId = ''] = page.after.split('/');
        select = select.where((e) =>
          e.or([e('type', '>', afterType), e.and([e('type', '=', afterType), e('id', '>', afterId)])]),
        );
      }
      return pageOf(await select.execute(), limit, deviceOf, (row) => `${row.type}/${row.id}`);
    },

    update: (input) =>
      change(input, 'updated', (device) => ({
        ...(input.description !== undefined && { description: checkedDescription(input.description) }),
        ...(input.metadata !== undefined && { metadata: checkedMetadata(input.metadata) }),
        ...(input.gatewayRole !== undefined && { gateway_role: gatewayRole(device, input.gatewayRole) }),
        ...(input.unlock !== undefined && { unlock: unlockMode(input.unlock) }),
        ...(input.owner !== undefined && { owner: checkedOwner(input.owner) }),
      })),

    remove: (input) =>
      mutate(ground, input.by, async (transaction, note) => {
        const found = await deviceIn(transaction, input);
        await transaction.deleteFrom('credentials').where('principal', '=', nameOf(found)).execute();
        await listAsRevoked(transaction, { principal: nameOf(found) }, ground.now());
        await transaction.deleteFrom('certificates').where('principal', '=', nameOf(found)).execute();
        await transaction.deleteFrom('oauth_states').where('principal', '=', nameOf(found)).execute();
        await transaction.deleteFrom('authenticators').where('principal', '=', nameOf(found)).execute();
        await transaction.deleteFrom('identities').where('principal', '=', nameOf(found)).execute();
        await transaction.deleteFrom('enrolment_codes').where('principal', '=', nameOf(found)).execute();
        await transaction
          .deleteFrom('devices')
          .where('organisation', '=', input.organisation)
          .where('type', '=', input.type)
          .where('id', '=', input.id)
          .execute();
        note({ ...changeOf(found), change: 'removed' });
      }),

    suspend: (input) =>
      change(
        input,
        'suspended',
        (device): Record<string, number> => (device.suspendedAt === undefined ? { suspended_at: ground.now() } : {}),
      ),
    resume: (input) =>
      change(
        input,
        'resumed',
        (device): Record<string, null> => (device.suspendedAt === undefined ? {} : { suspended_at: null }),
      ),
  };
}

async function rowExists(executor: Executor, { organisation, type, id }: DeviceName): Promise<boolean> {
  const row = await executor
    .selectFrom('devices')
    .select('id')
    .where('organisation', '=', organisation)
    .where('type', '=', type)
    .where('id', '=', id)
    .executeTakeFirst();
  return row !== undefined;
}

function gatewayRole(of: Pick<DeviceType, 'class'>, role: GatewayRole | undefined): GatewayRole | null {
  if (of.class === 'gateway') return checkedWord('gatewayRole', role ?? 'privileged', GATEWAY_ROLES);
  if (role !== undefined) throw invalid('gatewayRole', 'a device of a device type that is no gateway has none');
  return null;
}

function unlockMode(mode: UnlockMode | null | undefined): UnlockMode | null {
  return mode === undefined || mode === null ? null : checkedWord('unlock', mode, UNLOCK_MODES);
}

function nameOf({ class: kind, organisation, type, id }: DeviceName & Pick<DeviceType, 'class'>): string {
  return principalName({ kind, organisation, type, id });
}

function changeOf(device: Device) {
  const principal = nameOf(device);
  return { kind: device.class, organisation: device.organisation, principal, target: principal };
}
