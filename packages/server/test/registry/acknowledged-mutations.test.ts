import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../storage/temporary-folder.ts';
import { openedRegistry } from './opened-registry.ts';

const program = fileURLToPath(new URL('./mutating-process.mjs', import.meta.url));
const built = existsSync(new URL('../../dist/registry/registry.js', import.meta.url));

it.skipIf(!built)(
  'loses no acknowledged device to kill -9, and has a token and an audit row for each (needs `npm run build`)',
  async () => {
    const path = join(temporaryFolder(), 'registry.db');
    const first = await openedRegistry(path);
    await first.registry.organisations.create({ id: 'demo', by: 'system' });
    await first.registry.types.create({ organisation: 'demo', id: 'pump', by: 'system' });
    await first.database.close();

    const acknowledged = new Set<string>();
    for (let round = 0; round < 4; round++) await killAfter(20 + round * 17, path, round, acknowledged);

    const { database } = await openedRegistry(path);
    const ids = async (select: Promise<{ id: string | null }[]>) => new Set((await select).map((row) => row.id));
    const devices = await ids(database.query.selectFrom('devices').select('id').execute());
    for (const id of acknowledged) expect(devices).toContain(id);

    const target = (id: string | null) => `device:demo/pump/${id}`;
    const tokens = await ids(database.query.selectFrom('credentials').select('principal as id').execute());
    const audited = await ids(
      database.query.selectFrom('audit').select('target as id').where('type', '=', 'device.created').execute(),
    );
    expect(tokens).toEqual(new Set([...devices].map(target)));
    expect(audited).toEqual(tokens);
  },
  60_000,
);

async function killAfter(count: number, path: string, round: number, acknowledged: Set<string>): Promise<void> {
  const child = spawn(process.execPath, [program, path, String(round)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const gone = once(child, 'exit');
  let left = count;
  // Lines that come after the kill were acknowledged before it.
  for await (const id of createInterface({ input: child.stdout })) {
    acknowledged.add(id);
    left -= 1;
    if (left === 0) child.kill('SIGKILL');
  }
  await gone;
  expect(left).toBeLessThanOrEqual(0);
}
