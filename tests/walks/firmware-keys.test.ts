import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  boot,
  downloadImage,
  Flash,
  findUpdate,
  httpsSource,
  installImage,
  makeDevice,
  readRom,
} from '@sallyport/device/firmware';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from '../../packages/cli/test/run-command.ts';
import { someImage } from '../firmware.ts';
import { type TestServer, testServer } from '../server.ts';

describe('keys of a firmware repository that are exchanged by their holders', { timeout: 240_000 }, () => {
  let server: TestServer;
  let folder: string;
  beforeAll(async () => {
    server = await testServer();
    folder = mkdtempSync(join(tmpdir(), 'sallyport-keys-'));
    writeFileSync(at('old-passphrase'), 'five random words are long\n');
    writeFileSync(at('new-passphrase'), 'another five random words\n');
  });
  afterAll(async () => {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const at = (name: string) => join(folder, name);
  const old = ['--keys', '@old', '--passphrase-file', '@old-passphrase'];
  const fresh = ['--keys', '@new', '--passphrase-file', '@new-passphrase'];
  /** `@` stands for the folder of the test. */
  const placed = (args: readonly string[]) => args.map((one) => one.replace(/^@/, `${folder}/`));
  async function run(args: readonly string[], asksServer = true) {
    const where = asksServer ? ['--data-dir', server.directory, '--org', 'demo'] : [];
    return runCommand(['firmware', ...placed(args), ...where, '--json']);
  }
  async function done<T>(args: readonly string[], asksServer = true): Promise<T> {
    const { exitCode, out, err } = await run(args, asksServer);
    expect(exitCode, `${args.join(' ')}: ${err}`).toBe(0);
    return JSON.parse(out) as T;
  }

  it('are believed by a device in the field, and the old ones by nobody', async () => {
    writeFileSync(at('pump.bin'), someImage(5_000));
    writeFileSync(at('pump-2.bin'), someImage(5_000));
    await done(['init', ...old, '--root-keys', '2', '--root-threshold', '2']);
    await done(['release', '@pump.bin', '--type', 'pump', '--version', '1.0.0', ...old]);
    const device = await fieldDevice();
    expect(await device.update()).toBe('1.0.0');

    const [key] = await done<{ keyId: string; publicFile: string }[]>(
      ['root', 'key', '@new', '--passphrase-file', '@new-passphrase'],
      false,
    );
    const [list] = await done<{ publicFile: string }[]>(
      ['root', 'key', '@new', '--role', 'targets', '--passphrase-file', '@new-passphrase'],
      false,
    );
    const inForce = await done<{ role: string; keyId: string }[]>(['root', 'show']);
    const gone = (role: string) => inForce.find((one) => one.role === role)?.keyId.slice(0, 12) ?? '';
    const changes = [
      ['--add', `root=${key?.publicFile}`, '--remove', `root=${gone('root')}`],
      ['--add', `targets=${list?.publicFile}`, '--remove', `targets=${gone('targets')}`],
      ['--exchange', 'snapshot', '--exchange', 'timestamp'],
    ];
    await done(['root', 'draft', '@root-2.json', ...changes.flat()]);

    const unsigned = await run(['root', 'publish', '@root-2.json']);
    expect(unsigned).toMatchObject({ exitCode: 1, err: expect.stringContaining('0/2 keys') });
    const sign = (keys: string[]) =>
      done<{ signatures: { by: string; signed: number; needed: number }[] }>(
        ['root', 'sign', '@root-2.json', ...keys, '--yes'],
        false,
      );
    await sign(old);
    const half = await run(['root', 'publish', '@root-2.json']);
    expect(half).toMatchObject({ exitCode: 1, err: expect.stringContaining('1/2 keys') });
    const { signatures } = await sign(fresh);
    expect(signatures.map(({ by, signed, needed }) => [by, signed >= needed])).toEqual([
      ['old root', true],
      ['new root', true],
      ['bootloader', true],
      ['new targets', true],
    ]);
    const published = await done<{ roles: { role: string; version: number }[] }>(['root', 'publish', '@root-2.json']);
    expect(published.roles[0]).toMatchObject({ role: 'root', version: 2 });

    const refused = await run(['release', '@pump-2.bin', '--type', 'pump', '--version', '1.1.0', ...old]);
    expect(refused).toMatchObject({ exitCode: 1, err: expect.stringContaining('0 of the 1 keys') });
    await done(['release', '@pump-2.bin', '--type', 'pump', '--version', '1.1.0', ...fresh]);
    expect(await device.update()).toBe('1.1.0');

    await done(['export-root', '@pinned.json']);
    expect(JSON.parse(readFileSync(at('pinned.json'), 'utf8'))).toMatchObject({ signed: { version: 2 } });
    const fresher = await fieldDevice(readFileSync(at('pinned.json'), 'utf8'));
    expect(await fresher.update()).toBe('1.1.0');
  });

  it('are not signed unseen: without a yes nothing is signed', async () => {
    const asked = await run(['root', 'sign', '@root-2.json', ...old], false);
    expect(asked).toMatchObject({ exitCode: 2, err: expect.stringContaining('--yes') });
  });

  /** A device as a factory makes it, with the first root pinned unless another one is given. */
  async function fieldDevice(pinned?: string) {
    const name = { organisation: 'demo', type: 'pump', id: 'pump-7' };
    const token = server.tokens['pump-7'] ?? '';
    const source = httpsSource({ host: 'localhost', port: server.httpPort, ca: server.rootPem, ...name, token });
    const bytesAt = async (path: string) => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of (await source.read(path, 0)) ?? []) chunks.push(chunk);
      return Buffer.concat(chunks);
    };
    const flash = new Flash(mkdtempSync(join(folder, 'flash-')));
    makeDevice(flash, {
      configuration: name,
      root: pinned ?? (await bytesAt('metadata/1.root.json')).toString('utf8'),
      bootloader: {
        image: await bytesAt('metadata/bootloader.bin'),
        statement: await bytesAt('metadata/bootloader.json'),
      },
    });
    const rom = readRom(flash);
    if (!rom) throw new Error('no ROM');
    const update = async () => {
      const given = { flash, rom, source, running: { ...boot({ flash, now: Date.now }), trial: false }, now: Date.now };
      const found = await findUpdate(given);
      if (!found) throw new Error('nothing newer');
      await downloadImage(given, found.manifest);
      installImage(given, found);
      return boot({ flash, now: Date.now }).version;
    };
    return { flash, update };
  }
});
