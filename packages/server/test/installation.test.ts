import { mkdtempSync, readFileSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadConfiguration } from '../src/config/load.ts';
import { openInstallation } from '../src/installation.ts';

let dataDirectory: string;
beforeEach(() => {
  dataDirectory = mkdtempSync(join(tmpdir(), 'sallyport-installation-'));
});
afterEach(() => rmSync(dataDirectory, { recursive: true, force: true }));

const open = () => openInstallation({ configuration: loadConfiguration({ overrides: { dataDirectory } }) });
const tokenFile = () => readFileSync(join(dataDirectory, 'operator.token'), 'utf8').trim();

test('makes an operator once and keeps its token in a private file', async () => {
  const first = await open();
  expect(first.fresh).toBe(true);
  await first.close();
  const token = tokenFile();
  expect(statSync(join(dataDirectory, 'operator.token')).mode & 0o777).toBe(0o600);
  const second = await open();
  expect(second.fresh).toBe(false);
  expect(tokenFile()).toBe(token);
  await second.close();
});

test('makes good a first start that broke off before the token was written', async () => {
  await (await open()).close();
  unlinkSync(join(dataDirectory, 'operator.token'));
  writeFileSync(join(dataDirectory, 'operator.unfinished'), '', { mode: 0o600 });
  const again = await open();
  const known = await again.registry.lookup.byPrincipal('operator:admin');
  expect(known?.credentials.some(({ hash }) => again.tokens.matches(tokenFile(), hash as Buffer))).toBe(true);
  await again.close();
});

test('refuses to go on without the key that its tokens need', async () => {
  await (await open()).close();
  unlinkSync(join(dataDirectory, 'token.key'));
  await expect(open()).rejects.toMatchObject({
    code: 'key_material_invalid',
    message: expect.stringContaining('token.key'),
  });
});

test('names the key of the tokens if it was cut off, and does not send anybody to the certificates', async () => {
  await (await open()).close();
  const path = join(dataDirectory, 'token.key');
  writeFileSync(path, 'x', { mode: 0o600 });
  await expect(open()).rejects.toMatchObject({
    code: 'key_material_invalid',
    message: expect.stringContaining(`${path} is damaged`),
    cure: expect.not.stringContaining('pki'),
  });
});

test('takes an emptied registry beside an issued token for damage, not for a first start', async () => {
  await (await open()).close();
  const token = tokenFile();
  for (const suffix of ['', '-wal', '-shm']) rmSync(join(dataDirectory, `registry.db${suffix}`), { force: true });
  await expect(open()).rejects.toMatchObject({ code: 'database_damaged' });
  expect(tokenFile()).toBe(token);
});
