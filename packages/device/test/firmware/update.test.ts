import { generateRoleKey } from '@sallyport/trust/firmware';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { boot, confirmBoot } from '../../src/boot/boot.ts';
import type { Flash } from '../../src/boot/flash.ts';
import { readRom } from '../../src/boot/rom.ts';
import type { FirmwareSource } from '../../src/firmware/firmware-source.ts';
import { downloadImage, findUpdate, installImage } from '../../src/firmware/update.ts';
import { TestRepository, testDevice } from '../boot/repository.ts';

const DAY = 86_400_000;
let repository: TestRepository;
let flash: Flash;
let remove: () => void;
beforeEach(() => {
  repository = new TestRepository();
  ({ flash, remove } = testDevice(repository));
});
afterEach(() => remove());

const now = () => Date.now();
function options(source: FirmwareSource = repository) {
  const rom = readRom(flash);
  if (!rom) throw new Error('no ROM');
  return { flash, rom, source, running: boot({ flash, now }), now };
}

async function update() {
  const given = options();
  const found = await findUpdate(given);
  if (!found) throw new Error('nothing newer');
  await downloadImage(given, found.manifest);
  installImage(given, found);
  confirmBoot(flash, boot({ flash, now }), found.manifest);
}

describe('an update', () => {
  it('takes the newest image of its own type, and nothing when it has it', async () => {
    repository.add({ sequence: 2 });
    repository.add({ sequence: 9, type: 'valve' });
    expect((await findUpdate(options()))?.manifest.sequence).toBe(2);
    await update();
    expect(await findUpdate(options())).toBeUndefined();
  });

  it('refuses what is older than what runs, of another type, or not offered', async () => {
    repository.add();
    repository.add();
    await update();
    repository.add({ type: 'valve', version: '7.0.0' });
    await expect(findUpdate(options(), '1.1.0')).rejects.toThrow('nothing below 3');
    await expect(findUpdate(options(), '7.0.0')).rejects.toThrow('for the type valve');
    await expect(findUpdate(options(), '8.0.0')).rejects.toThrow('does not offer');
  });

  it('believes no list that is signed by a stranger, expired, or older than one that it has seen', async () => {
    repository.add();
    await update();
    const seen = new Map(repository.files);
    repository.add();
    await update();
    const frozen: FirmwareSource = {
      read: async (path) => {
        const bytes = seen.get(path);
        return (
          bytes &&
          (async function* () {
            yield bytes;
          })()
        );
      },
    };
    await expect(findUpdate(options(frozen))).rejects.toMatchObject({ code: 'firmware_rejected' });
    repository.publish({ signer: generateRoleKey() });
    await expect(findUpdate(options())).rejects.toMatchObject({ code: 'firmware_rejected' });
    repository.publish({ expires: Date.now() - DAY });
    await expect(findUpdate(options())).rejects.toMatchObject({ code: 'firmware_rejected' });
    expect(boot({ flash, now })).toMatchObject({ outcome: 'booted', version: '1.2.0' });
  });

  it('installs no byte of an image whose bytes are not those that were signed', async () => {
    const manifest = repository.add();
    const [path = ''] = [...repository.files.keys()].filter((one) => one.startsWith('targets/'));
    const image = repository.files.get(path) ?? new Uint8Array();
    const attempts: [Uint8Array, string][] = [
      [Buffer.alloc(image.length), 'does not have the digest'],
      [image.subarray(0, 100), 'Only 100 of'],
      [Buffer.concat([image, image]), 'More bytes came'],
    ];
    for (const [bytes, problem] of attempts) {
      repository.files.set(path, bytes);
      flash.remove('download/image.bin');
      const given = options();
      const found = await findUpdate(given);
      await expect(downloadImage(given, manifest)).rejects.toThrow(problem);
      expect(() => found && installImage(given, found)).toThrow('not the image that was signed');
    }
    expect(boot({ flash, now })).toMatchObject({ outcome: 'stopped', reason: 'missing' });
  });

  it('goes on where a download broke off', async () => {
    const manifest = repository.add();
    const broken: FirmwareSource = {
      read: async (path, offset) => {
        const bytes = await repository.read(path, offset);
        return (
          bytes &&
          (async function* () {
            let count = 0;
            for await (const chunk of bytes) {
              if (++count === 3) throw new Error('the connection broke');
              yield chunk;
            }
          })()
        );
      },
    };
    await expect(downloadImage({ flash, source: broken }, manifest)).rejects.toThrow('broke');
    repository.reads.length = 0;
    await downloadImage({ flash, source: repository }, manifest);
    expect(repository.reads[0]).toMatch(/@1000$/);
  });
});
