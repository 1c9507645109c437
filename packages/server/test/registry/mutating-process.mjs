// Started by acknowledged-mutations.test.ts: makes devices one after the other and says each id once it is acknowledged.
import { createHash } from 'node:crypto';
import { openRegistry } from '../../dist/registry/registry.js';
import { openDatabase } from '../../dist/storage/database.js';

const [path = '', round] = process.argv.slice(2);
const database = await openDatabase(path);
const registry = openRegistry({
  database,
  tokenHasher: { hash: (token) => createHash('sha256').update(token).digest() },
  passwordHasher: { hash: async (password) => password },
  generateToken: () => 'token',
  now: Date.now,
  checkPolicy: () => [],
  onChange: () => {},
});
for (let i = 0; ; i++) {
  const id = `r${round}-${i}`;
  await registry.devices.create({ organisation: 'demo', type: 'pump', id, by: 'system' });
  await new Promise((resolve) => process.stdout.write(`${id}\n`, resolve));
}
