// @ts-check
/** A device that updates itself from files that come on standard input, saying a line at each step. It is meant to be killed. */
import { boot, confirmBoot, downloadImage, Flash, findUpdate, installImage, readRom } from '../../dist/firmware.js';

let text = '';
for await (const chunk of process.stdin) text += chunk;
/** @type {{ folder: string, files: [string, string][] }} */
const { folder, files } = JSON.parse(text);
const contents = new Map(files.map(([path, bytes]) => [path, Buffer.from(bytes, 'base64')]));
const say = (/** @type {string} */ what) => process.stdout.write(`${what}\n`);

const source = {
  /** @param {string} path @param {number} offset */
  async read(path, offset) {
    const bytes = contents.get(path)?.subarray(offset);
    return (
      bytes &&
      (async function* () {
        for (let at = 0; at < bytes.length; at += 40_000) {
          yield bytes.subarray(at, at + 40_000);
          say(`${path} ${at}`);
          await new Promise((resolve) => setImmediate(resolve));
        }
      })()
    );
  },
};

const flash = new Flash(folder);
const rom = readRom(flash);
if (!rom) throw new Error('no ROM');
const now = () => Date.now();
const running = boot({ flash, now });
const options = { flash, rom, source, running, now };
const found = await findUpdate(options);
if (found) {
  await downloadImage(options, found.manifest);
  say('downloaded');
  installImage(options, found);
  say('installed');
  const next = boot({ flash, now });
  say('started');
  confirmBoot(flash, next, found.manifest);
  say('confirmed');
}
