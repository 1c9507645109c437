import { fork } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { drain } from '../src/drain.ts';
import { RefusedByServer } from '../src/link-failure.ts';
import { Outbox } from '../src/outbox.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-outbox-'));
  file = join(folder, 'outbox');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Everything that waits, without taking it off. */
async function waiting(options = {}): Promise<string[]> {
  const outbox = await Outbox.open({ file, ...options });
  const found: string[] = [];
  while (outbox.first) {
    found.push(Buffer.from(outbox.first.payload).toString());
    await outbox.shift();
  }
  await outbox.close();
  return found;
}

describe('an outbox', () => {
  it('keeps events in their order over a close, with those that were sent taken off', async () => {
    const outbox = await Outbox.open({ file });
    for (const n of [1, 2, 3]) await outbox.queueEvent('count', n);
    expect(outbox.first?.topic).toBe('iot-2/evt/count/fmt/json');
    await outbox.shift();
    await outbox.close();
    expect(await waiting()).toEqual(['2', '3']);
    expect(statSync(file).size).toBe(0);
  });

  it('is readable by its owner only', async () => {
    await (await Outbox.open({ file })).close();
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('drops a line that was cut off, and writes on behind what is whole', async () => {
    const outbox = await Outbox.open({ file });
    await outbox.queueEvent('count', 1);
    await outbox.close();
    appendFileSync(file, '["iot-2/evt/count/fmt/json","Mi');
    const again = await Outbox.open({ file });
    await again.queueEvent('count', 3);
    await again.close();
    expect(await waiting()).toEqual(['1', '3']);
  });

  it('refuses more than it may hold, by number and by size, and takes more when there is room', async () => {
    const outbox = await Outbox.open({ file, maximumEvents: 2 });
    await outbox.queueEvent('count', 1);
    await outbox.queueEvent('count', 2);
    await expect(outbox.queueEvent('count', 3)).rejects.toMatchObject({ code: 'queue_full' });
    await outbox.shift();
    await outbox.queueEvent('count', 3);
    await outbox.close();
    const small = await Outbox.open({ file: `${file}-small`, maximumBytes: 100 });
    await expect(small.queueEvent('count', 'x'.repeat(100))).rejects.toMatchObject({ code: 'queue_full' });
    await small.close();
    expect(await waiting()).toEqual(['2', '3']);
  });

  it('does not grow for ever while it is never empty', async () => {
    const outbox = await Outbox.open({ file });
    await outbox.queueEvent('count', 0);
    for (let n = 1; n <= 2100; n++) {
      await outbox.queueEvent('count', n);
      await outbox.shift();
    }
    await outbox.close();
    expect(readFileSync(file, 'utf8').split('\n').length).toBeLessThan(1000 * 2 + 10);
    expect(await waiting()).toEqual(['2100']);
  });

  it('is not taken for one where it is something else', async () => {
    writeFileSync(file, 'dear diary\n');
    await expect(Outbox.open({ file })).rejects.toMatchObject({ code: 'data_directory_unusable' });
    await expect(Outbox.open({ file: join(folder, 'no', 'such') })).rejects.toMatchObject({
      code: 'data_directory_unusable',
    });
  });

  it('has everything that it promised after the program was killed in the midst of its work', async () => {
    const child = fork(fileURLToPath(new URL('./outbox-process.mjs', import.meta.url)), [file], {
      // The compiled package: this child has nobody who understands its sources.
      execArgv: [],
    });
    let promised = 0;
    await new Promise<void>((resolve) => {
      child.on('message', (n) => {
        promised = Number(n);
        if (promised === 50) child.kill('SIGKILL');
      });
      child.on('exit', () => resolve());
    });
    expect(promised).toBeGreaterThanOrEqual(50);
    const found = (await waiting()).map(Number);
    expect(found.slice(0, promised)).toEqual(Array.from({ length: promised }, (_, n) => n + 1));
    expect(found.length - promised).toBeLessThanOrEqual(2);
  });
});

describe('emptying an outbox', () => {
  it('sends in order, goes on when more comes, and reports what is refused without stopping behind it', async () => {
    const outbox = await Outbox.open({ file });
    for (const n of [1, 2, 3]) await outbox.queueEvent('count', n);
    const sent: string[] = [];
    const reported: unknown[] = [];
    const refused = new RefusedByServer('publish_refused', 'no', 0x87, undefined);
    const stop = drain(outbox, {
      async publish(_topic, payload) {
        const text = Buffer.from(payload).toString();
        if (text === '2') throw refused;
        sent.push(text);
      },
      report: (problem) => reported.push(problem),
    });
    await outbox.queueEvent('count', 4);
    while (outbox.length > 0) await new Promise((resolve) => setImmediate(resolve));
    stop();
    expect(sent).toEqual(['1', '3', '4']);
    expect(reported).toEqual([refused]);
    await outbox.close();
  });
});
