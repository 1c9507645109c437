import type { Command, CommandHandler } from '@sallyport/device';
import type { Reading } from '@sallyport/device/simulator';
import { Failure } from '@sallyport/model';
import { describe, expect, it } from 'vitest';
import { simulate } from '../src/simulated-device.ts';

function fakeDevice() {
  const published: unknown[] = [];
  let end: (failure: Failure | undefined) => void = () => {};
  let command: CommandHandler = () => {};
  const closed = new Promise<Failure | undefined>((resolve) => {
    end = resolve;
  });
  return {
    published,
    end: (failure?: Failure) => end(failure),
    send: (value: Command) => command(value),
    device: {
      closed,
      publishEvent: async (_: string, payload: unknown) => void published.push(payload),
      onCommand: async <P>(_: string, handler: CommandHandler<P>) => {
        command = handler as CommandHandler;
      },
    },
  };
}

describe('simulate', () => {
  it('sends acceleration, motion and position so often as asked', async () => {
    const { device, published } = fakeDevice();
    await simulate({ device, every: 1, count: 3, stop: new AbortController().signal, random: () => 0.4 });
    expect(published).toHaveLength(3);
    expect(Object.keys(published[0] as Reading)).toEqual(['acceleration', 'motion', 'position']);
  });

  it('reports commands', async () => {
    const { device, send } = fakeDevice();
    const stopping = new AbortController();
    const commands: Command[] = [];
    const stop = stopping.signal;
    const command = { name: 'blink', format: 'json', payload: { times: 3 } };
    const onReading = () => void Promise.resolve(send(command)).then(() => stopping.abort());
    await simulate({ device, every: 60_000, stop, onReading, onCommand: (each) => commands.push(each) });
    expect(commands).toEqual([command]);
  });

  it('ends at once with the reason when the connection is over for good', async () => {
    const { device, end } = fakeDevice();
    const reason = new Failure('connection_refused', 'revoked');
    const ended = simulate({ device, every: 60_000, stop: new AbortController().signal, onReading: () => end(reason) });
    await expect(ended).rejects.toBe(reason);
  });

  it('goes on after a reading that could not be sent', async () => {
    const { device } = fakeDevice();
    let attempts = 0;
    const publishEvent = async () => {
      attempts += 1;
      throw new Failure('connection_lost', 'away');
    };
    const problems: Failure[] = [];
    const stop = new AbortController().signal;
    await simulate({
      device: { ...device, publishEvent },
      every: 1,
      count: 2,
      stop,
      onProblem: (each) => problems.push(each),
    });
    expect(attempts).toBe(2);
    expect(problems).toHaveLength(2);
  });
});
