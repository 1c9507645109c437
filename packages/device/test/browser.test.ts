import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build, type OutputChunk } from 'rolldown';
import { beforeAll, describe, expect, it } from 'vitest';

/** Of everything, compressed as it travels; the MQTT library has most of it. */
const LARGEST = 130 * 1024;

let chunks: readonly OutputChunk[];
beforeAll(async () => {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const { output } = await build({
    input: `${root}src/browser.ts`,
    platform: 'browser',
    external: [/^node:/],
    resolve: { conditionNames: ['browser', '@sallyport/source', 'import', 'module'] },
    output: { minify: true, format: 'esm' },
    write: false,
  });
  chunks = output.filter((each) => each.type === 'chunk');
}, 120_000);

/** The code that is loaded before anything is asked for on demand. */
function loadedAtOnce(): string {
  const byName = new Map(chunks.map((chunk) => [chunk.fileName, chunk]));
  const wanted = new Set<string>();
  const walk = (name: string) => {
    if (wanted.has(name)) return;
    wanted.add(name);
    for (const other of byName.get(name)?.imports ?? []) walk(other);
  };
  for (const [name, { isEntry }] of byName) if (isEntry) walk(name);
  return [...wanted].map((name) => byName.get(name)?.code ?? `import ${name}`).join('\n');
}

describe('the device in a browser', () => {
  it('needs nothing of Node', () => {
    expect(loadedAtOnce()).not.toMatch(/from\s*["']node:|import\s*["']node:|import node:|require\(["']node:/);
  });

  it(`has at most ${LARGEST / 1024} KiB when it travels`, () => {
    const size = gzipSync(loadedAtOnce()).length;
    expect(size).toBeGreaterThan(10 * 1024);
    expect(size).toBeLessThan(LARGEST);
  });
});
