import type { Health } from '@sallyport/model';
import type { ServerEvent } from '../events/events.ts';

/** Which parts work, as told by the event stream: coarse, because anybody may ask. */
export function serverHealth(): { observe(event: ServerEvent): void; now(): Health } {
  const failing = new Set<string>();
  const silent = new Set<string>();
  const workers = new Set<number>();
  return {
    observe(event) {
      if (event.type === 'store.failing') failing.add(event.store);
      else if (event.type === 'store.recovered') failing.delete(event.store);
      else if (event.type === 'alert.failing') silent.add(`alerts by ${event.channel}`);
      else if (event.type === 'alert.recovered') silent.delete(`alerts by ${event.channel}`);
      else if (event.type === 'worker.lost') silent.add(`worker ${event.worker}`);
      else if (event.type === 'worker.started') {
        workers.add(event.worker);
        silent.delete(`worker ${event.worker}`);
      }
    },
    now() {
      const parts: Record<string, 'ok' | 'failing'> = { broker: 'ok', registry: 'ok' };
      for (const worker of workers) parts[`worker ${worker}`] = 'ok';
      for (const part of [...failing, ...silent]) parts[part] = 'failing';
      // A server that cannot tell of incidents, or replaces a worker, serves its clients all the same: nobody is to take it out of service for that.
      return { status: failing.size === 0 ? 'ok' : 'failing', parts };
    },
  };
}
