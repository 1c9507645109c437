import type { GroupCommit } from './group-commit.ts';

const NEVER = -1;

/**
 * Rows of one kind that are in the batch that is gathering, by their ascending numbers. What is put and removed within one batch never
 * comes to the disk: that is most of what passes through a client that is there and quick.
 */
export class RecentRecords {
  readonly #log: Pick<GroupCommit, 'batch' | 'offset' | 'takeBack'>;
  #batch = -1;
  #first = 0;
  readonly #offsets: number[] = [];

  constructor(log: Pick<GroupCommit, 'batch' | 'offset' | 'takeBack'>) {
    this.#log = log;
  }

  /** To be called before the record of the row is begun; each row has the number after that of the one before. */
  note(row: number): void {
    const { batch, offset } = this.#log;
    if (batch !== this.#batch) {
      this.#batch = batch;
      this.#first = row;
      this.#offsets.length = 0;
    }
    this.#offsets[row - this.#first] = offset;
  }

  /** Takes the record of a row back; false if it has left already. */
  takeBack(row: number): boolean {
    if (this.#batch !== this.#log.batch || row < this.#first) return false;
    const offset = this.#offsets[row - this.#first] ?? NEVER;
    if (offset === NEVER) return false;
    this.#offsets[row - this.#first] = NEVER;
    this.#log.takeBack(offset);
    return true;
  }
}
