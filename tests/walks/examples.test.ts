import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const FOLDER = fileURLToPath(new URL('../../examples/', import.meta.url));
const EXAMPLES = readdirSync(FOLDER, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

it.each(EXAMPLES)(
  'the example %s holds when it is run alone',
  async (name) => {
    const child = spawn(process.execPath, [`${FOLDER}${name}/run.mjs`], { stdio: ['ignore', 'pipe', 'pipe'] });
    let shown = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (shown += String(chunk)));
    const [code] = (await once(child, 'exit')) as [number | null];
    expect(shown).toContain('All of it held.');
    expect(code).toBe(0);
  },
  120_000,
);
