import type { Health } from '@sallyport/model';
import type { ServerEvent } from '../events/events.ts';

/** Which parts work, as told by the event stream: coarse, because anybody may ask. */
export function serverHealth(): { observe(event: ServerEvent): void; now(): Health } {
  const failing = new Set<string>();
  return {
    observe(event) {
      if (event.type === 'store.failing') failing.add(event.store);
      else if (event.type === 'store.recovered') failing.delete(event.store);
    },
    now() {
      const parts: Record<string, 'ok' | 'failing'> = { broker: 'ok', registry: 'ok' };
      for (const store of failing) parts[store] = 'failing';
      return { status: failing.size === 0 ? 'ok' : 'failing', parts };
    },
  };
}
