// @ts-check
/**
 * Loaded before a program (`node --import`): kills it with SIGKILL in the midst of one of its writes below a folder, after so many bytes of that
 * write. Without a number it counts them, and says at the end how many there were.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const { DYING_FOLDER: folder = '', DYING_WRITE: number, DYING_SHARE: share = '0' } = process.env;
const { openSync, closeSync, writeSync } = fs;
const watched = new Set();
let writes = 0;

fs.openSync = (path, ...rest) => {
  const file = openSync(path, ...rest);
  if (folder !== '' && String(path).startsWith(folder)) watched.add(file);
  return file;
};
fs.closeSync = (file) => {
  watched.delete(file);
  closeSync(file);
};
/** @type {(...args: any[]) => number} */
const write = (file, bytes, ...rest) => {
  if (!watched.has(file) || !(bytes instanceof Uint8Array)) return writeSync(file, bytes, ...rest);
  if (++writes === Number(number)) {
    const length = Math.floor(bytes.length * Number(share));
    if (length > 0) writeSync(file, bytes, 0, length);
    process.kill(process.pid, 'SIGKILL');
  }
  return writeSync(file, bytes, ...rest);
};
fs.writeSync = write;
syncBuiltinESMExports();
if (number === undefined) process.on('exit', () => process.stderr.write(`WRITES ${writes}\n`));
