import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { Line, LineBroken } from '../../src/workers/line.ts';

type Calls = {
  add(one: number, other: number): number | Promise<number>;
  note(text: string): void;
  fail(): never;
  give(bytes: Uint8Array): number;
};

const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

async function lines(calls: Partial<Calls> = {}, onBytes: (bytes: Buffer) => void = () => {}) {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const one = connect((server.address() as { port: number }).port, '127.0.0.1');
  const [other] = (await once(server, 'connection')) as [Socket];
  server.close();
  sockets.push(one, other);
  const near = new Line<Calls, Record<never, never>>(one);
  const far = new Line<Record<never, never>, Calls>(other);
  near.serve({});
  far.serve(calls as Calls, { onBytes });
  return { near, far };
}

describe('a line between two processes', () => {
  it('answers what is asked, at once or later', async () => {
    const { near } = await lines({ add: (one, other) => (one > 1 ? Promise.resolve(one + other) : one + other) });
    expect(await Promise.all([near.ask('add', 1, 2), near.ask('add', 3, 4)])).toEqual([3, 7]);
  });

  it('keeps the order of everything that is said, bytes too', async () => {
    const heard: string[] = [];
    const { near } = await lines({ note: (text) => void heard.push(text), add: (one) => one }, (bytes) =>
      heard.push(bytes.toString()),
    );
    near.tell('note', 'one');
    near.bytes(Buffer.from('two'));
    near.tell('note', 'three');
    near.bytes(Buffer.from('four'));
    await near.ask('add', 0, 0);
    expect(heard).toEqual(['one', 'two', 'three', 'four']);
  });

  it('carries numbers without end, maps and bytes', async () => {
    const given: unknown[] = [];
    const { near } = await lines({ add: (one) => one, note: (what) => void given.push(what) });
    near.tell('note', new Map([['a', Number.POSITIVE_INFINITY]]) as unknown as string);
    near.tell('note', Buffer.from('bytes') as unknown as string);
    await near.ask('add', 0, 0);
    expect(given).toEqual([new Map([['a', Number.POSITIVE_INFINITY]]), Buffer.from('bytes')]);
  });

  it('rejects what fails at the other end, and what cannot be sent, and nothing else', async () => {
    const { near } = await lines({
      fail() {
        throw new Error('it is broken');
      },
      add: (one, other) => one + other,
    });
    const failed = near.ask('fail');
    const unsendable = near.ask('add', (() => 1) as unknown as number, 2);
    const good = near.ask('add', 1, 1);
    const [first, second, third] = await Promise.allSettled([failed, unsendable, good]);
    expect([first.status, second.status, third.status]).toEqual(['rejected', 'rejected', 'fulfilled']);
    expect(String((first as PromiseRejectedResult).reason)).toContain('it is broken');
  });

  it('rejects what was asked when it breaks, and what is asked afterwards', async () => {
    const { near, far } = await lines({ add: () => new Promise<number>(() => {}) });
    const asked = near.ask('add', 1, 2);
    near.tell('note', 'sent before');
    setImmediate(() => far.close());
    await expect(asked).rejects.toBeInstanceOf(LineBroken);
    await expect(near.ask('add', 1, 2)).rejects.toBeInstanceOf(LineBroken);
    expect(near.ended).toBe(true);
  });
});
