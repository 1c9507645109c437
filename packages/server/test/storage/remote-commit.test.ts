import { beforeEach, describe, expect, it } from 'vitest';
import { readRecords } from '../../src/storage/commit-records.ts';
import { RemoteCommit } from '../../src/storage/remote-commit.ts';

let sent: number[][];
let told: string[];
let log: RemoteCommit;
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
const values = (bytes: Uint8Array): number[] => {
  const found: number[] = [];
  const copy = new Uint8Array(bytes);
  readRecords(copy.buffer, copy.length, (_statement, _puts, [first]) => found.push(Number(first)));
  return found;
};

beforeEach(() => {
  sent = [];
  told = [];
  log = new RemoteCommit({ send: (bytes) => sent.push(values(bytes)), read: async () => [{ id: 1 }] });
  log.listen({
    committed: () => told.push(`committed ${log.committed}`),
    failing: (_problem, batches) => {
      told.push(`failing ${batches.flatMap(({ memory, length }) => values(new Uint8Array(memory, 0, length))).join()}`);
    },
    recovered: () => told.push('recovered'),
  });
});

describe('the log of a database that another process has', () => {
  it('gathers what comes while a batch is on its way, and says when it is on disk', async () => {
    log.record(0, true, 1).number(1);
    log.record(0, true, 1).number(2);
    await turn();
    log.record(0, true, 1).number(3);
    await turn();
    expect(sent).toEqual([[1, 2]]);
    expect([log.written, log.committed]).toEqual([3, 0]);
    const flushed = log.flush();
    log.tellCommitted();
    expect(sent).toEqual([[1, 2], [3]]);
    log.tellCommitted();
    await flushed;
    expect(told).toEqual(['committed 2', 'committed 3']);
  });

  it('sends nothing of what was taken back before it left', async () => {
    const { offset } = log;
    log.record(0, true, 1).number(1);
    log.record(0, true, 1).number(2);
    log.takeBack(offset);
    await turn();
    expect(sent).toEqual([[2]]);
  });

  it('counts all that is not on disk among what failed', async () => {
    log.record(0, true, 1).number(1);
    await turn();
    log.record(0, true, 1).number(2);
    log.tellFailing('the disk is full');
    expect(log.failing).toBe(true);
    await log.flush();
    log.tellRecovered();
    expect(log.failing).toBe(false);
    expect(told).toEqual(['failing 1,2', 'recovered']);
  });
});
