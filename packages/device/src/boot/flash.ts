import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { type Disk, nodeDisk } from './disk.ts';

const CHUNK = 1_048_576;

/** The memory of a device that outlives its power: files below one folder, each written whole or not at all. */
export class Flash {
  readonly #folder: string;
  readonly #disk: Disk;

  constructor(folder: string, disk: Disk = nodeDisk) {
    this.#folder = folder;
    this.#disk = disk;
  }

  read(file: string): Buffer | undefined {
    return this.#disk.read(this.#at(file));
  }

  /** The JSON in a file; undefined if there is no file or no JSON in it. */
  readJson<T>(file: string): T | undefined {
    const bytes = this.read(file);
    if (bytes === undefined) return undefined;
    try {
      return JSON.parse(bytes.toString('utf8')) as T;
    } catch {
      return undefined;
    }
  }

  /** Under another name first, made safe, then renamed: a power cut leaves the old file or the new one. */
  write(file: string, content: string | Uint8Array): void {
    const temporary = `${file}.new`;
    this.#disk.remove(this.#at(temporary));
    this.#disk.append(this.#at(temporary), typeof content === 'string' ? Buffer.from(content) : content);
    this.#disk.sync(this.#at(temporary));
    this.#disk.rename(this.#at(temporary), this.#at(file));
  }

  writeJson(file: string, value: unknown): void {
    this.write(file, `${JSON.stringify(value)}\n`);
  }

  append(file: string, bytes: Uint8Array): void {
    this.#disk.append(this.#at(file), bytes);
  }

  size(file: string): number {
    return this.#disk.size(this.#at(file));
  }

  remove(file: string): void {
    this.#disk.remove(this.#at(file));
  }

  /** Copies a file, whole or not at all. */
  copy(from: string, to: string): void {
    const temporary = `${to}.new`;
    this.#disk.remove(this.#at(temporary));
    for (const bytes of this.#chunks(from)) this.#disk.append(this.#at(temporary), bytes);
    this.#disk.sync(this.#at(temporary));
    this.#disk.rename(this.#at(temporary), this.#at(to));
  }

  /** SHA-256 in lower-case hexadecimal; undefined if there is no such file. */
  digest(file: string): string | undefined {
    if (!this.#disk.exists(this.#at(file))) return undefined;
    const hash = createHash('sha256');
    for (const bytes of this.#chunks(file)) hash.update(bytes);
    return hash.digest('hex');
  }

  /** The first bytes of a file. */
  head(file: string, length: number): Buffer {
    return this.#disk.readAt(this.#at(file), 0, length);
  }

  /** Where a file lies, for libraries that open files by themselves. */
  pathOf(file: string): string {
    return this.#at(file);
  }

  *#chunks(file: string): Generator<Buffer> {
    for (let offset = 0; ; offset += CHUNK) {
      const bytes = this.#disk.readAt(this.#at(file), offset, CHUNK);
      if (bytes.length > 0) yield bytes;
      if (bytes.length < CHUNK) return;
    }
  }

  #at(file: string): string {
    return join(this.#folder, file);
  }
}
