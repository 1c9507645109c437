import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FrameReader } from '../../src/bus/frame-reader.ts';
import { InProcessExchange } from '../../src/bus/in-process-exchange.ts';
import { SocketExchange } from '../../src/bus/socket-exchange.ts';
import { socketPair } from '../../src/bus/socket-pair.ts';
import { exchangeContract } from './exchange.contract.ts';

async function until(holds: () => boolean): Promise<void> {
  for (let turn = 0; turn < 20_000 && !holds(); turn++) await new Promise((resolve) => setTimeout(resolve, 1));
  expect(holds()).toBe(true);
}

exchangeContract(
  'the exchange within one process',
  async (bounds) => {
    const near = new InProcessExchange(0, bounds);
    const far = new InProcessExchange(1, bounds);
    return {
      near,
      far,
      connect: async () => near.connect(far),
      stall: () => {
        far.stalled = true;
      },
      recover: () => far.recover(),
    };
  },
  until,
);

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'sallyport-bus-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

exchangeContract(
  'the exchange over sockets',
  async (bounds) => {
    const near = new SocketExchange(0, bounds);
    const far = new SocketExchange(1, bounds);
    let there: Socket | undefined;
    return {
      near,
      far,
      async connect() {
        const [a, b] = await socketPair(folder());
        there = b;
        near.connect(1, a);
        far.connect(0, b);
      },
      stall: () => there?.pause(),
      recover: () => there?.resume(),
    };
  },
  until,
);

describe('a pair of sockets', () => {
  it('leaves nothing behind by which anybody could come in', async () => {
    const place = folder();
    const [a, b] = await socketPair(place);
    expect(readdirSync(place)).toEqual([]);
    const heard = new Promise((resolve) => b.once('data', resolve));
    a.write('well');
    b.resume();
    expect(String(await heard)).toBe('well');
    a.destroy();
    b.destroy();
  });
});

describe('the frames of a stream', () => {
  it('are the same however the stream is cut', () => {
    const stream = Buffer.concat(
      ['', 'one', 'x'.repeat(300)].map((text, kind) => {
        const bytes = Buffer.alloc(5 + text.length);
        bytes.writeUInt32BE(text.length);
        bytes[4] = kind;
        bytes.write(text, 5);
        return bytes;
      }),
    );
    for (const size of [1, 2, 4, 5, 6, 9, 100, 1000]) {
      const heard: string[] = [];
      const reader = new FrameReader(1000, (kind, bytes, start, end) => {
        heard.push(`${kind} ${bytes.toString('utf8', start, end)}`);
      });
      for (let at = 0; at < stream.length; at += size) reader.push(stream.subarray(at, at + size));
      expect(heard).toEqual(['0 ', '1 one', `2 ${'x'.repeat(300)}`]);
    }
  });
});
