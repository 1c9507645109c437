import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Explanation, Failure, type Question, type Refusal } from '@sallyport/model';
import { openRefusals } from './audit/refusals.ts';
import { Containments } from './authorization/containments.ts';
import { PolicyStore } from './authorization/policy-store.ts';
import { questioner } from './authorization/questioner.ts';
import { loadConfiguration } from './config/load.ts';
import { hardestHeld } from './incidents/hardest-held.ts';
import { DATABASE_FILE, type Installation, openInstallation } from './installation.ts';
import { incidentRecords } from './registry/incident-records.ts';
import { openDatabase } from './storage/database.ts';
import { heldAgainst } from './wiring/held-against.ts';
import { openLists } from './wiring/lists.ts';

export interface OfflineExplanationOptions {
  /** Data directory of a server that does not run at the moment. */
  readonly dataDirectory?: string;
  /** Text of a policy to ask instead of the one on record. */
  readonly policyText?: string;
  /** Roles of the principal where there is no data directory to look them up. */
  readonly roles?: readonly string[];
}

/**
 * Asks the one decision function without a server: policy, suspensions, containments and lists as they are on record. Throws `not_found` without a registry, `data_directory_in_use` if a server
 * runs on it (ask that one), `policy_invalid` for a wrong text.
 */
export async function explainOffline(
  { dataDirectory, policyText, roles }: OfflineExplanationOptions,
  question: Question,
  now: () => number = Date.now,
): Promise<Explanation> {
  if (dataDirectory === undefined) {
    const policies = new PolicyStore({ findDocument: async () => policyText, now });
    return questioner({ load: (organisation) => policies.load(organisation), findRoles: () => roles, now })(question);
  }
  demandRegistry(dataDirectory);
  const configuration = loadConfiguration({ overrides: { dataDirectory } });
  const installation = await openInstallation({ configuration, now });
  const { registry } = installation;
  let closeLists = () => {};
  try {
    const lists = await openLists({ installation, configuration, emit: () => {}, now, reconsider: async () => {} });
    closeLists = () => lists.close();
    const containments = await containmentsOnRecord(installation);
    const findDocument = async (organisation: string) =>
      policyText ?? (await registry.policies.get(organisation))?.text;
    const policies = new PolicyStore({ findDocument, now });
    const findRoles = async (name: string) => roles ?? (await registry.lookup.byPrincipal(name))?.roles;
    return await questioner({
      load: (organisation) => policies.load(organisation),
      findRoles,
      judgeLists: lists.judge,
      heldAgainst: heldAgainst((name) => registry.lookup.byPrincipal(name), containments),
      now,
    })(question);
  } finally {
    closeLists();
    await installation.close();
  }
}

/** As a server that is started now would put them into force. */
async function containmentsOnRecord({ database }: Pick<Installation, 'database'>): Promise<Containments> {
  const incidents = await incidentRecords(database).load();
  const containments = new Containments();
  for (const { subject } of incidents) containments.set(subject, hardestHeld(incidents, subject));
  return containments;
}

/**
 * A refusal from the registry of a server that does not run at the moment. Throws `not_found` without a registry or without
 * the ticket, `data_directory_in_use` if a server runs on it.
 */
export async function findRefusalOffline(
  dataDirectory: string,
  ticket: string,
  now: () => number = Date.now,
): Promise<Refusal> {
  demandRegistry(dataDirectory);
  const database = await openDatabase(join(dataDirectory, DATABASE_FILE));
  try {
    const refusals = openRefusals({ database, now, random: randomBytes, emit: () => {} });
    const found = await refusals.find(ticket);
    await refusals.close();
    if (found) return found;
  } finally {
    await database.close();
  }
  throw new Failure('not_found', `No refusal on record in ${dataDirectory} has the ticket ${ticket}.`, {
    cure: 'Check the spelling; refusals are kept for 30 days, and fewer under a flood.',
  });
}

function demandRegistry(dataDirectory: string): void {
  if (!existsSync(join(dataDirectory, DATABASE_FILE))) {
    throw new Failure('not_found', `There is no registry in ${dataDirectory}.`, {
      cure: 'Name the data directory with --data-dir, or ask a running server with --server.',
    });
  }
}
