import { mkdtempSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it, onTestFinished } from 'vitest';
import { InProcessExchange } from '../../packages/server/src/bus/in-process-exchange.ts';
import { SocketExchange } from '../../packages/server/src/bus/socket-exchange.ts';
import { socketPair } from '../../packages/server/src/bus/socket-pair.ts';
import { Crew, got, subscribed, until } from '../../packages/server/test/broker/crew.ts';
import { settled } from '../../packages/server/test/broker/harness.ts';

it('a frame of four gigabytes that is only declared ends the way to who declares it, and takes no memory', async () => {
  const place = mkdtempSync(join(tmpdir(), 'sallyport-bus-'));
  onTestFinished(() => rmSync(place, { recursive: true, force: true }));
  const [attacker, end] = (await socketPair(place)) as [Socket, Socket];
  const exchange = new SocketExchange(0);
  const left: string[] = [];
  exchange.listen({ joined() {}, frame() {}, pause() {}, left: (_, why) => left.push(why) });
  exchange.connect(1, end);
  const before = process.memoryUsage();
  attacker.on('error', () => {});
  attacker.write(Buffer.concat([Buffer.of(0xff, 0xff, 0xff, 0xff, 2), Buffer.alloc(1000)]));
  while (left.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  expect(left[0]).toMatch(/A frame of 4294967295 bytes came/);
  const after = process.memoryUsage();
  expect(after.arrayBuffers + after.external - before.arrayBuffers - before.external).toBeLessThan(50_000_000);
  attacker.destroy();
});

it('whatever a peer sends, the others and their clients are served', { timeout: 120_000 }, async () => {
  const crew = await Crew.of(2);
  const listener = await crew.connect(0, 'listener');
  await subscribed(listener, 'a');
  const sender = await crew.connect(1, 'sender');
  const frame = fc.record({
    kind: fc.oneof(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 255 })),
    body: fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.json().map((text) => Buffer.concat([Buffer.alloc(8), Buffer.from(text)])),
      fc
        .record({
          say: fc.constantFrom('told', 'away', 'gone', 'shares', 'mark', 'marked', 'moved', 'stays', 'buried', 'rates'),
          do: fc.constantFrom('claim', 'settle', 'take', 'yield', 'close', 'reconsider', 'raise'),
          taken: fc.anything(),
          id: fc.anything(),
          organisation: fc.anything(),
          request: fc.anything(),
        })
        .map((word) => {
          try {
            return Buffer.concat([Buffer.alloc(8), Buffer.from(JSON.stringify(word))]);
          } catch {
            return Buffer.alloc(8);
          }
        }),
    ),
  });
  let dropped = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(frame, { minLength: 1, maxLength: 5 }), async (frames) => {
      const attacker = new InProcessExchange(5);
      attacker.listen({
        joined(peer) {
          for (const { kind, body } of frames) {
            const at = peer.begin(kind, body.length);
            peer.bytes.set(body, at);
          }
        },
        frame() {},
        pause() {},
        left: () => dropped++,
      });
      for (const exchange of crew.exchanges) attacker.connect(exchange);
      await settled(6);
      sender.publish('a', 'served', { qos: 1 });
      await until(() => sender.packets.length === 1);
      // A subscription that it may have announced has no say in whether the message is taken.
      expect([0, 0x80]).toContain(sender.expect('puback').reasonCode);
      await got(listener, 'a served');
      for (const stage of crew.stages) expect(stage.of('defect')).toEqual([]);
      for (const exchange of crew.exchanges) exchange.drop(5, 'enough');
      await settled(6);
      await crew.adopt(5);
      await settled(6);
    }),
    { numRuns: 300 },
  );
  expect(dropped).toBeGreaterThan(300);
});
