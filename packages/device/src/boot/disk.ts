import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';

/** The few things that a device does to its flash. A test lets the power fail in the midst of one. */
export interface Disk {
  /** Undefined if there is no such file. */
  read(path: string): Buffer | undefined;
  /** Bytes from `offset`, at most `length`; empty beyond the end. */
  readAt(path: string, offset: number, length: number): Buffer;
  size(path: string): number;
  exists(path: string): boolean;
  /** Adds to the end, making the file if there is none; not yet safe from a power cut. */
  append(path: string, bytes: Uint8Array): void;
  /** Makes what was written safe from a power cut. */
  sync(path: string): void;
  /** Takes the place of what is there, at once. */
  rename(from: string, to: string): void;
  remove(path: string): void;
}

/** The file system of this machine. */
export const nodeDisk: Disk = {
  read(path) {
    try {
      return readFileSync(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  },
  readAt(path, offset, length) {
    const file = openSync(path, 'r');
    try {
      const bytes = Buffer.alloc(length);
      return bytes.subarray(0, readSync(file, bytes, 0, length, offset));
    } finally {
      closeSync(file);
    }
  },
  size: (path) => (existsSync(path) ? statSync(path).size : 0),
  exists: (path) => existsSync(path),
  append(path, bytes) {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const file = openSync(path, 'a', 0o600);
    try {
      writeSync(file, bytes);
    } finally {
      closeSync(file);
    }
  },
  sync(path) {
    for (const one of [path, dirname(path)]) {
      const file = openSync(one, 'r');
      try {
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
    }
  },
  rename(from, to) {
    renameSync(from, to);
    const folder = openSync(dirname(to), 'r');
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  },
  remove: (path) => rmSync(path, { force: true }),
};
