import { describe, expect, it } from 'vitest';
import type { ServerEvent } from '../../src/events/events.ts';
import { EventStream } from '../../src/events/stream.ts';

const recovered = { type: 'store.recovered', store: 'audit' } as const;
const stopping = { type: 'server.stopping', cause: 'test' } as const;

describe('the event stream', () => {
  it('tells listeners of a type, and those of all, until they stop', () => {
    const stream = new EventStream();
    const heard: string[] = [];
    const stop = stream.on('store.recovered', (event) => heard.push(event.store));
    stream.on('*', (event) => heard.push(event.type));
    stream.emit(recovered);
    stream.emit(stopping);
    stop();
    stop();
    stream.emit(recovered);
    expect(heard).toEqual(['audit', 'store.recovered', 'server.stopping', 'store.recovered']);
  });

  it('isolates a listener that throws, counts it and tells of it as a defect', () => {
    const stream = new EventStream();
    const heard: ServerEvent[] = [];
    stream.on('store.recovered', () => {
      throw new Error('boom');
    });
    stream.on('store.recovered', (event) => heard.push(event));
    stream.on('defect', (event) => heard.push(event));
    stream.emit(recovered);
    expect(heard).toMatchObject([
      { type: 'defect', where: 'listener of store.recovered', problem: expect.stringContaining('boom') },
      recovered,
    ]);
    expect(stream.defects).toBe(1);
  });

  it('does not call itself without end when the listener of defects throws', () => {
    const stream = new EventStream();
    stream.on('*', () => {
      throw new Error('always');
    });
    stream.emit(recovered);
    expect(stream.defects).toBe(2);
  });

  it('lets a listener stop itself while it is told', () => {
    const stream = new EventStream();
    let times = 0;
    const stop = stream.on('store.recovered', () => {
      times += 1;
      stop();
    });
    stream.on('store.recovered', () => (times += 10));
    stream.emit(recovered);
    stream.emit(recovered);
    expect(times).toBe(21);
  });
});
