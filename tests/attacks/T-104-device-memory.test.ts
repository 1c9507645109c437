import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sealedStore } from '@sallyport/device';
import { afterAll, describe, expect, it } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-store-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const secret = new Uint8Array(32).fill(9);
let count = 0;
const place = () => join(folder, `store-${++count}`);
const damaged = { code: 'key_material_invalid' };

describe('somebody who can write the files of a device', () => {
  it('reads nothing from its memory', async () => {
    const file = place();
    await sealedStore({ file, secret }).write({ application: 'treasure' });
    expect(readFileSync(file).includes('treasure')).toBe(false);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await expect(sealedStore({ file, secret: new Uint8Array(32).fill(8) }).read()).rejects.toMatchObject(damaged);
    expect(await sealedStore({ file, secret }).read()).toEqual({ application: 'treasure' });
  });

  it('changes no byte of it unnoticed', async () => {
    const file = place();
    await sealedStore({ file, secret }).write({ highest: 7 });
    const good = readFileSync(file);
    for (let at = 0; at < good.length; at++) {
      const changed = Buffer.from(good);
      changed[at] = (changed[at] ?? 0) ^ 1;
      writeFileSync(file, changed);
      await expect(sealedStore({ file, secret }).read()).rejects.toMatchObject(damaged);
    }
    writeFileSync(file, good.subarray(0, 20));
    await expect(sealedStore({ file, secret }).read()).rejects.toMatchObject(damaged);
  });

  it('cannot put an older one in its place, nor take it away', async () => {
    const file = place();
    const store = sealedStore({ file, secret });
    await store.write({ highest: 1 });
    copyFileSync(file, `${file}.old`);
    await store.write({ highest: 2 });
    copyFileSync(`${file}.old`, file);
    await expect(sealedStore({ file, secret }).read()).rejects.toMatchObject(damaged);
    rmSync(file);
    await expect(sealedStore({ file, secret }).read()).rejects.toMatchObject(damaged);
  });

  it('cannot put everything back where a counter is out of reach', async () => {
    const file = place();
    const counter = { value: 0 };
    const anchor = {
      read: async () => counter.value,
      write: async (generation: number) => {
        counter.value = generation;
      },
    };
    await sealedStore({ file, secret, anchor }).write({ highest: 1 });
    const old = readFileSync(file);
    await sealedStore({ file, secret, anchor }).write({ highest: 2 });
    writeFileSync(file, old);
    await expect(sealedStore({ file, secret, anchor }).read()).rejects.toMatchObject(damaged);
  });

  it('finds no half-written file and no rest of one', async () => {
    const file = place();
    const store = sealedStore({ file, secret });
    await Promise.all([1, 2, 3, 4].map((highest) => store.write({ highest })));
    expect(await sealedStore({ file, secret }).read()).toEqual({ highest: 4 });
    expect(readdirSync(folder).filter((name) => name.includes('.tmp'))).toEqual([]);
  });
});
