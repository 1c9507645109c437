import type {
  CommandProtection,
  Metadata,
  OperatorRole,
  PayloadEncryption,
  SecurityLevel,
  TypeLimits,
  UnlockMode,
  UnlockSettings,
} from '@sallyport/model';
import type { Selectable } from 'kysely';
import { numeric, present } from '../storage/present.ts';
import type {
  ApplicationsTable,
  CredentialsTable,
  DevicesTable,
  DeviceTypesTable,
  OperatorsTable,
  OrganisationsTable,
  PoliciesTable,
} from '../storage/tables.ts';
import type {
  Application,
  ApplicationRole,
  Credential,
  Device,
  DeviceClass,
  DeviceType,
  GatewayRole,
  Operator,
  Organisation,
  PolicyVersion,
} from './records.ts';

/*
 * Rows to records. Words of closed lists were checked when they were written, so they are taken as they are.
 */

export function organisationOf(row: OrganisationsTable): Organisation {
  return {
    id: row.id,
    name: row.name,
    createdAt: Number(row.created_at),
    security: row.security as SecurityLevel,
    ...present({ suspendedAt: numeric(row.suspended_at) }),
  };
}

export function typeOf(row: DeviceTypesTable): DeviceType {
  return {
    organisation: row.organisation,
    id: row.id,
    class: row.class as DeviceClass,
    createdAt: Number(row.created_at),
    ...present({
      description: row.description,
      security: row.security as SecurityLevel | null,
      unlock: row.unlock === null ? null : (JSON.parse(row.unlock) as UnlockSettings),
      owner: row.owner,
      commands: row.commands as CommandProtection | null,
      encryption: row.encryption as PayloadEncryption | null,
      limits: row.limits === null ? null : (JSON.parse(row.limits) as TypeLimits),
      metadata: metadataOf(row.metadata),
    }),
  };
}

export function deviceOf(row: DevicesTable): Device {
  return {
    organisation: row.organisation,
    type: row.type,
    id: row.id,
    class: row.class as DeviceClass,
    createdAt: Number(row.created_at),
    ...present({
      description: row.description,
      metadata: metadataOf(row.metadata),
      suspendedAt: numeric(row.suspended_at),
      gatewayRole: row.gateway_role as GatewayRole | null,
      unlock: row.unlock as UnlockMode | null,
      owner: row.owner,
    }),
  };
}

export function applicationOf(row: ApplicationsTable): Application {
  return {
    organisation: row.organisation,
    id: row.id,
    key: row.key,
    role: row.role as ApplicationRole,
    createdAt: Number(row.created_at),
    ...present({ description: row.description, suspendedAt: numeric(row.suspended_at) }),
  };
}

export function operatorOf(row: OperatorsTable): Operator {
  return {
    id: row.id,
    role: row.role as OperatorRole,
    createdAt: Number(row.created_at),
    ...present({ suspendedAt: numeric(row.suspended_at) }),
  };
}

/** Without the hashes: this is what leaves the registry. */
export function credentialOf(row: Omit<Selectable<CredentialsTable>, 'sequence'>): Credential {
  return {
    id: row.id,
    principal: row.principal,
    kind: row.kind as Credential['kind'],
    createdAt: Number(row.created_at),
    createdBy: row.created_by,
    ...present({
      username: row.username,
      expiresAt: numeric(row.expires_at),
      revokedAt: numeric(row.revoked_at),
      revokedBy: row.revoked_by,
    }),
  };
}

export function policyVersionOf(row: PoliciesTable): PolicyVersion {
  return {
    organisation: row.organisation,
    version: Number(row.version),
    text: row.text,
    createdAt: Number(row.created_at),
    createdBy: row.created_by,
  };
}

function metadataOf(json: string | null): Metadata | null {
  return json === null ? null : (JSON.parse(json) as Metadata);
}
