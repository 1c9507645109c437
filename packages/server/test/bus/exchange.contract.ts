import { describe, expect, it, onTestFinished } from 'vitest';
import type { Exchange, ExchangeBounds, Peer } from '../../src/bus/exchange.ts';

/** Everything that one exchange has heard. */
export class Ear {
  readonly peers = new Map<number, Peer>();
  readonly heard: string[] = [];
  pauses = 0;

  constructor(exchange: Exchange) {
    exchange.listen({
      joined: (peer) => {
        this.peers.set(peer.number, peer);
        this.heard.push(`joined ${peer.number}`);
      },
      frame: (peer, kind, bytes, start, end) => {
        if (kind === 255) throw new TypeError('nobody speaks so');
        const text = end - start > 100 ? `${end - start} bytes` : bytes.toString('utf8', start, end);
        this.heard.push(`${peer.number}: ${kind} ${text}`);
      },
      pause: () => this.pauses++,
      left: (peer, why) => {
        this.peers.delete(peer.number);
        this.heard.push(`left ${peer.number}: ${why}`);
      },
    });
  }
}

export function say(peer: Peer, kind: number, text: string): void {
  const at = peer.begin(kind, Buffer.byteLength(text));
  peer.bytes.write(text, at);
}

function fill(peer: Peer, size: number): void {
  const at = peer.begin(2, size);
  peer.bytes.fill('7', at, at + size);
}

export interface Pair {
  readonly near: Exchange;
  readonly far: Exchange;
  /** Connects the two; to be called when both are listened to. */
  connect(): Promise<void>;
  /** The far end reads nothing from now on. */
  stall(): void;
  recover(): void;
}

/** What every exchange promises. */
export function exchangeContract(
  name: string,
  open: (bounds?: Partial<ExchangeBounds>) => Promise<Pair>,
  until: (holds: () => boolean) => Promise<void>,
): void {
  async function pair(bounds?: Partial<ExchangeBounds>) {
    const made = await open(bounds);
    onTestFinished(async () => {
      await made.near.close();
      await made.far.close();
    });
    const near = new Ear(made.near);
    const far = new Ear(made.far);
    await made.connect();
    await until(() => near.peers.size === 1 && far.peers.size === 1);
    return { ...made, nearEar: near, farEar: far, toFar: near.peers.get(1)!, toNear: far.peers.get(0)! };
  }

  describe(name, () => {
    it('carries frames in their order, both ways', async () => {
      const { nearEar, farEar, toFar, toNear } = await pair();
      for (let index = 0; index < 3; index++) say(toFar, index, `number ${index}`);
      say(toNear, 9, '');
      await until(() => farEar.heard.length === 4 && nearEar.heard.length === 2);
      expect(farEar.heard).toEqual(['joined 0', '0: 0 number 0', '0: 1 number 1', '0: 2 number 2']);
      expect(nearEar.heard).toEqual(['joined 1', '1: 9 ']);
    });

    it('hands over all frames of one turn together', async () => {
      const { farEar, toFar } = await pair();
      for (let index = 0; index < 50; index++) say(toFar, 1, `number ${index}`);
      await until(() => farEar.heard.length === 51);
      expect(farEar.pauses).toBe(1);
    });

    it('carries frames that are larger than any chunk', async () => {
      const { farEar, toFar } = await pair();
      for (const size of [1_000_000, 3, 5_000_000]) fill(toFar, size);
      await until(() => farEar.heard.length === 4);
      expect(farEar.heard.slice(1)).toEqual(['0: 2 1000000 bytes', '0: 2 777', '0: 2 5000000 bytes']);
    });

    it('drops a peer that sends a larger frame than it may', async () => {
      const { nearEar, farEar, toFar } = await pair({ largestFrame: 1000 });
      fill(toFar, 1001);
      await until(() => farEar.peers.size === 0 && nearEar.peers.size === 0);
      expect(farEar.heard.at(-1)).toBe(
        'left 0: What it sent could not be read: A frame of 1001 bytes came; at most 1000 are taken.',
      );
    });

    it('drops a peer whose frame cannot be understood', async () => {
      const { nearEar, farEar, toFar } = await pair();
      say(toFar, 255, 'x');
      say(toFar, 1, 'never heard');
      await until(() => farEar.peers.size === 0 && nearEar.peers.size === 0);
      expect(farEar.heard.at(-1)).toBe('left 0: What it sent could not be read: nobody speaks so');
    });

    it('is congested by a peer that does not read, and relieved when it reads again', async () => {
      const { stall, recover, toFar, farEar } = await pair({ congested: 100_000 });
      stall();
      for (let index = 0; index < 80; index++) fill(toFar, 100_000);
      expect(toFar.congested).toBe(true);
      const relieved = toFar.relieved();
      recover();
      await relieved;
      expect(toFar.congested).toBe(false);
      await until(() => farEar.heard.length === 81);
    });

    it('drops a peer for which more waits than is borne', async () => {
      const { stall, nearEar, toFar } = await pair({ congested: 1000, unsent: 4_000_000 });
      stall();
      for (let turn = 0; turn < 10 && nearEar.peers.size > 0; turn++) {
        for (let index = 0; index < 10; index++) fill(toFar, 100_000);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await until(() => nearEar.peers.size === 0);
      expect(nearEar.heard.at(-1)).toBe('left 1: It does not read: more than 4000000 bytes wait for it.');
      await toFar.relieved();
      // Whoever still writes does no harm.
      say(toFar, 1, 'into the void');
      expect(toFar.congested).toBe(false);
    });

    it('tells both sides when one of them drops the other', async () => {
      const { far, nearEar, farEar } = await pair();
      far.drop(0, 'enough');
      await until(() => nearEar.peers.size === 0 && farEar.peers.size === 0);
      expect(farEar.heard.at(-1)).toBe('left 0: enough');
      expect(nearEar.heard.at(-1)).toMatch(/^left 1: /);
    });

    it('lets out what was said before it is closed', async () => {
      const { near, farEar, toFar } = await pair();
      say(toFar, 1, 'goodbye');
      await near.close();
      await until(() => farEar.peers.size === 0);
      expect(farEar.heard).toContain('0: 1 goodbye');
    });
  });
}
