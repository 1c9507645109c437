import { type Disk, nodeDisk } from '../../src/boot/disk.ts';

/** A disk that loses power after so much work: each byte that is written counts, or all bytes of one write as one step; and each other change. */
export class DyingDisk implements Disk {
  done = 0;
  readonly #limit: number;
  readonly read = nodeDisk.read;
  readonly readAt = nodeDisk.readAt;
  readonly size = nodeDisk.size;
  readonly exists = nodeDisk.exists;

  readonly #counts: 'bytes' | 'steps';

  constructor(limit: number, counts: 'bytes' | 'steps' = 'bytes') {
    this.#limit = limit;
    this.#counts = counts;
  }

  append(path: string, bytes: Uint8Array): void {
    if (this.#counts === 'steps') {
      if (this.done === this.#limit) nodeDisk.append(path, bytes.subarray(0, Math.floor(bytes.length / 2)));
      this.#work(1);
      nodeDisk.append(path, bytes);
      return;
    }
    const left = Math.max(0, this.#limit - this.done);
    if (left < bytes.length) {
      if (left > 0) nodeDisk.append(path, bytes.subarray(0, left));
      this.#work(bytes.length);
    }
    this.#work(bytes.length);
    nodeDisk.append(path, bytes);
  }

  sync(): void {
    this.#work(1);
  }

  rename(from: string, to: string): void {
    this.#work(1);
    nodeDisk.rename(from, to);
  }

  remove(path: string): void {
    this.#work(1);
    nodeDisk.remove(path);
  }

  #work(amount: number): void {
    this.done += amount;
    if (this.done > this.#limit) throw new Error('the power failed');
  }
}
