import { randomBytes } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, principalName } from '@sallyport/model';
import {
  generateToken,
  type PasswordHasher,
  passwordHasher,
  secretBox,
  type TokenHasher,
  tokenHasher,
} from '@sallyport/trust/secrets';
import { type Authority, openAuthority } from './authority/authority.ts';
import type { Configuration } from './config/schema.ts';
import { policyDesk } from './http/policy-desk.ts';
import type { RegistryChange } from './registry/records.ts';
import { openRegistry, type Registry } from './registry/registry.ts';
import { type Database, openDatabase } from './storage/database.ts';
import { makePrivateFolder, readPrivateFile, writePrivateFile } from './storage/private-file.ts';

/** File of the first operator's token, in the data directory. */
const OPERATOR_TOKEN_FILE = 'operator.token';
const TOKEN_KEY_FILE = 'token.key';
const TOKEN_KEY_LENGTH = 32;
export const DATABASE_FILE = 'registry.db';
const FIRST_OPERATOR = 'admin';
/** There while the first operator is made: its token may not be in its file yet. */
const UNFINISHED_FILE = 'operator.unfinished';

/** What a server stands on: its data directory, opened and complete. */
export interface Installation {
  readonly directory: string;
  readonly database: Database;
  readonly registry: Registry;
  readonly authority: Authority;
  readonly tokens: TokenHasher;
  readonly passwords: PasswordHasher;
  /** The secret that stands beside the database; keys that seal what is in it are derived from it. */
  readonly tokenKey: Uint8Array;
  /** True if the data directory was made by this call. */
  readonly fresh: boolean;
  close(): Promise<void>;
}

export interface InstallationOptions {
  readonly configuration: Configuration;
  readonly now?: () => number;
  readonly onChange?: (change: RegistryChange) => void;
  /** Told before each step that may take a moment. */
  readonly progress?: (step: string) => void;
}

/**
 * Opens the data directory, and makes in it what is missing: keys, certificates, registry, and an operator to begin with.
 * Throws the failures of its parts, each naming the file.
 */
export async function openInstallation(options: InstallationOptions): Promise<Installation> {
  const { configuration, now = Date.now, onChange = () => {}, progress = () => {} } = options;
  const directory = configuration.dataDirectory;
  makePrivateFolder(directory);
  progress('Opening the registry');
  const database = await openDatabase(join(directory, DATABASE_FILE));
  try {
    const passwords = passwordHasher();
    const serverKey = await tokenKey(join(directory, TOKEN_KEY_FILE), database);
    const tokens = tokenHasher(serverKey);
    const registry = openRegistry({
      database,
      tokenHasher: tokens,
      passwordHasher: passwords,
      generateToken,
      secretBox: secretBox(serverKey, 'sallyport authenticator apps'),
      now,
      checkPolicy: policyDesk().check,
      onChange,
    });
    progress('Preparing keys and certificates');
    const authority = await openAuthority({
      directory: join(directory, 'pki'),
      dnsNames: configuration.serverNames,
      publicUrl: configuration.revocation.publicUrl,
      now,
    });
    const fresh = await firstOperator(registry, directory);
    return {
      directory,
      database,
      registry,
      authority,
      tokens,
      tokenKey: serverKey,
      passwords,
      fresh,
      close: () => database.close(),
    };
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** The key under which tokens are hashed. It stands beside the database, not in it; without it every token would be lost. */
async function tokenKey(path: string, database: Database): Promise<Buffer> {
  const stored = readPrivateFile(path);
  if (stored && stored.length >= TOKEN_KEY_LENGTH) return stored;
  if (stored) {
    throw new Failure(
      'key_material_invalid',
      `The file ${path} is damaged: it has ${stored.length} bytes, a key has ${TOKEN_KEY_LENGTH}.`,
      {
        cure: `Restore ${path} from a backup; without it every token would have to be issued anew.`,
      },
    );
  }
  const issued = await database.query.selectFrom('credentials').select('id').limit(1).executeTakeFirst();
  if (issued) {
    throw new Failure(
      'key_material_invalid',
      `The file ${path} is missing and the registry holds tokens that need it.`,
      {
        cure: `Restore ${path} from a backup; without it every token would have to be issued anew.`,
      },
    );
  }
  const key = randomBytes(TOKEN_KEY_LENGTH);
  writePrivateFile(path, key);
  return key;
}

/** Makes the operator to begin with. A start that broke off in the midst of it is made good by the next. */
async function firstOperator(registry: Registry, directory: string): Promise<boolean> {
  const unfinished = join(directory, UNFINISHED_FILE);
  const { items } = await registry.operators.list({ limit: 1 });
  if (items.length > 0 && readPrivateFile(unfinished) === undefined) return false;
  const tokenFile = join(directory, OPERATOR_TOKEN_FILE);
  if (items.length === 0 && existsSync(tokenFile) && !existsSync(unfinished)) {
    throw new Failure(
      'database_damaged',
      `${join(directory, DATABASE_FILE)} holds no operator, but ${tokenFile} is the token of one.`,
      {
        cure: `Restore ${DATABASE_FILE} from a backup; to begin anew, move the whole folder ${directory} away.`,
      },
    );
  }
  const principal = principalName({ kind: 'operator', id: FIRST_OPERATOR });
  writePrivateFile(unfinished, '');
  const { token } =
    items.length === 0
      ? await registry.operators.create({ id: FIRST_OPERATOR, role: 'administrator', by: 'system' })
      : await registry.credentials.createToken({ principal, by: 'system' });
  writePrivateFile(tokenFile, `${token}\n`);
  rmSync(unfinished, { force: true });
  return items.length === 0;
}
