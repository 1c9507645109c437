import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { socketPair } from '../../packages/server/src/bus/socket-pair.ts';

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'sallyport-bus-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

it('the place where two ends meet is open to the user of the server only, and gone when they have met', async () => {
  const place = folder();
  const met = socketPair(place);
  const [made] = readdirSync(place);
  expect(statSync(join(place, made!)).mode & 0o777).toBe(0o700);
  const ends = await met;
  expect(readdirSync(place)).toEqual([]);
  for (const end of ends) end.destroy();
});

it('a process of the same user that finds the place in time is not taken for a worker', async () => {
  const place = folder();
  const strangers: Socket[] = [];
  let came = 0;
  for (let round = 0; round < 20; round++) {
    let met: readonly [Socket, Socket] | undefined;
    const meeting = socketPair(place).then((ends) => {
      met = ends;
    });
    while (met === undefined) {
      for (const made of readdirSync(place)) {
        const stranger = connect(join(place, made, 's'));
        stranger.on('error', () => {});
        stranger.on('connect', () => {
          came++;
          // It says what a worker could say; the proof is 32 random bytes.
          stranger.write(Buffer.concat([Buffer.alloc(32, 1), Buffer.of(0, 0, 0, 1, 7, 0x7b)]));
        });
        strangers.push(stranger);
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    await meeting;
    const [near, far] = met;
    const heard: string[] = [];
    near.on('data', (bytes) => heard.push(`near ${bytes}`));
    far.on('data', (bytes) => heard.push(`far ${bytes}`));
    near.write('to far');
    far.write('to near');
    while (heard.length < 2) await new Promise((resolve) => setTimeout(resolve, 1));
    expect(heard.toSorted()).toEqual(['far to far', 'near to near']);
    near.destroy();
    far.destroy();
  }
  // Those who came in time were sent away.
  expect(came).toBeGreaterThan(0);
  await Promise.all(
    strangers.map((stranger) =>
      stranger.closed ? Promise.resolve() : new Promise((resolve) => stranger.once('close', resolve)),
    ),
  );
});
