import { createHmac } from 'node:crypto';
import { join } from 'node:path';
import { Failure, type FieldProblem } from '@sallyport/model';
import { secretBox } from '@sallyport/trust/secrets';
import { afterEach } from 'vitest';
import type { RegistryChange } from '../../src/registry/records.ts';
import { openRegistry } from '../../src/registry/registry.ts';
import { openDatabase } from '../../src/storage/database.ts';
import { temporaryFolder } from '../storage/temporary-folder.ts';

const opened: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const database of opened.splice(0)) await database.close();
});

export const hashOf = (token: string) => createHmac('sha256', 'test').update(token).digest();

/** A registry of its own, with a clock that the test turns, and everything that it has told. */
export async function openedRegistry(path = join(temporaryFolder(), 'registry.db')) {
  const database = await openDatabase(path);
  opened.push(database);
  const told: RegistryChange[] = [];
  const state = { now: 1_790_000_000_000, tokens: 0, problems: [] as FieldProblem[], hashes: 0 };
  const registry = openRegistry({
    database,
    tokenHasher: { hash: hashOf },
    secretBox: secretBox(hashOf('box'), 'test'),
    passwordHasher: {
      async hash(password) {
        state.hashes += 1;
        return `hash of ${password}`;
      },
    },
    generateToken: () => `generated-${++state.tokens}`,
    now: () => state.now,
    checkPolicy: () => state.problems,
    onChange: (change) => told.push(change),
  });
  const audit = () => database.query.selectFrom('audit').selectAll().orderBy('sequence').execute();
  return { database, registry, told, state, audit };
}

/** The same with organisation `demo`, type `pump`, gateway type `hub`. */
export async function furnishedRegistry() {
  const world = await openedRegistry();
  await world.registry.organisations.create({ id: 'demo', by: 'system' });
  await world.registry.types.create({ organisation: 'demo', id: 'pump', by: 'system' });
  await world.registry.types.create({ organisation: 'demo', id: 'hub', class: 'gateway', by: 'system' });
  world.told.length = 0;
  return world;
}

export async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof Failure) return error;
  throw error instanceof Error ? error : new Error('it did not fail');
}

export const codeOf = async (promise: Promise<unknown>) => (await failureOf(promise)).code;
