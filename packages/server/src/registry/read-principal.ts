import { type Principal, parsePrincipal, principalName } from '@sallyport/model';
import { numeric, present } from '../storage/present.ts';
import type { Executor } from './ground.ts';
import type { StoredCredential, StoredPrincipal, UnlockDemand } from './lookup.ts';
import type { Application, Device, DeviceType, Organisation } from './records.ts';
import { applicationOf, deviceOf, operatorOf, organisationOf, typeOf } from './rows.ts';

/** Reads a principal by its written form; undefined if nobody has it. */
export async function readPrincipal(executor: Executor, name: string): Promise<StoredPrincipal | undefined> {
  const answer = parsePrincipal(name);
  if (!answer.ok) return undefined;
  const principal = answer.value;
  const found = await readFacts(executor, principal);
  return found && { principal, ...found, credentials: await readCredentials(executor, name) };
}

/** The principal to whom a user name leads: who has it in force, else who had it last. */
export async function readByUsername(executor: Executor, username: string): Promise<string | undefined> {
  const rows = await executor
    .selectFrom('credentials')
    .select(['principal', 'revoked_at'])
    .where('username', '=', username)
    .orderBy('sequence', 'desc')
    .execute();
  return (rows.find((row) => row.revoked_at === null) ?? rows[0])?.principal;
}

export async function readByKey(executor: Executor, key: string): Promise<string | undefined> {
  const row = await executor
    .selectFrom('applications')
    .select(['organisation', 'id'])
    .where('key', '=', key)
    .executeTakeFirst();
  return row && principalName({ kind: 'application', organisation: row.organisation, id: row.id });
}

type Facts = Omit<StoredPrincipal, 'principal' | 'credentials'>;

async function readFacts(executor: Executor, principal: Principal): Promise<Facts | undefined> {
  if (principal.kind === 'operator') {
    const row = await executor.selectFrom('operators').selectAll().where('id', '=', principal.id).executeTakeFirst();
    if (!row) return undefined;
    const { role, suspendedAt } = operatorOf(row);
    return { roles: [role], security: 'tls-token', ...present({ suspendedAt }) };
  }
  const organisation = await executor
    .selectFrom('organisations')
    .selectAll()
    .where('id', '=', principal.organisation)
    .executeTakeFirst();
  if (!organisation) return undefined;
  if (principal.kind === 'application') {
    const row = await executor
      .selectFrom('applications')
      .selectAll()
      .where('organisation', '=', principal.organisation)
      .where('id', '=', principal.id)
      .executeTakeFirst();
    return row && applicationFacts(applicationOf(row), organisationOf(organisation));
  }
  const row = await executor
    .selectFrom('devices')
    .selectAll()
    .where('organisation', '=', principal.organisation)
    .where('type', '=', principal.type)
    .where('id', '=', principal.id)
    .where('class', '=', principal.kind)
    .executeTakeFirst();
  const type = await executor
    .selectFrom('device_types')
    .selectAll()
    .where('organisation', '=', principal.organisation)
    .where('id', '=', principal.type)
    .executeTakeFirst();
  if (!row || !type) return undefined;
  const home = organisationOf(organisation);
  return deviceFacts(deviceOf(row), home, typeOf(type));
}

function applicationFacts(application: Application, organisation: Organisation): Facts {
  return {
    roles: [application.role],
    security: organisation.security,
    key: application.key,
    ...present({ suspendedAt: application.suspendedAt, organisationSuspendedAt: organisation.suspendedAt }),
  };
}

function deviceFacts(device: Device, organisation: Organisation, type: DeviceType): Facts {
  return {
    roles: device.gatewayRole === undefined ? [] : [`gateway-${device.gatewayRole}`],
    security: type.security ?? organisation.security,
    ...present({ unlock: unlockDemand(device, type) }),
    ...present({ suspendedAt: device.suspendedAt, organisationSuspendedAt: organisation.suspendedAt }),
  };
}

function unlockDemand(device: Device, { unlock, owner }: DeviceType): UnlockDemand | undefined {
  if ((device.unlock ?? unlock?.mode ?? 'off') === 'off') return undefined;
  const { mode: _, channels = ['console'] as const, ...flow } = unlock ?? { mode: 'off' };
  return { channels, ...flow, ...present({ owner: device.owner ?? owner }) };
}

async function readCredentials(executor: Executor, principal: string): Promise<StoredCredential[]> {
  const rows = await executor
    .selectFrom('credentials')
    .selectAll()
    .where('principal', '=', principal)
    .orderBy('sequence', 'desc')
    .execute();
  return rows.map((row) => ({
    id: row.id,
    kind: row.kind === 'password' || row.kind === 'scram' ? row.kind : 'token',
    hash: row.password_hash ?? Buffer.from(row.token_hash ?? []),
    createdAt: Number(row.created_at),
    ...present({
      username: row.username,
      expiresAt: numeric(row.expires_at),
      revokedAt: numeric(row.revoked_at),
      revokedBy: row.revoked_by,
    }),
  }));
}
