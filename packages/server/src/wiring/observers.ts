import { randomBytes } from 'node:crypto';
import { eventLog } from '../audit/log.ts';
import { openRefusals, type Refusals } from '../audit/refusals.ts';
import { openTrail, type Trail } from '../audit/trail.ts';
import type { Configuration } from '../config/schema.ts';
import type { EventStream } from '../events/stream.ts';
import type { Installation } from '../installation.ts';
import { serverHealth } from '../metrics/health.ts';
import { type Meters, type MetersOptions, openMeters } from '../metrics/meters.ts';

export interface ObserversOptions extends Required<Pick<MetersOptions, 'counters' | 'expiring'>> {
  readonly configuration: Pick<Configuration, 'log' | 'audit'>;
  readonly installation: Pick<Installation, 'database'>;
  readonly events: EventStream;
  readonly now: () => number;
  /** Told what has to be done at the end of the server, as soon as it has. */
  readonly atEnd: (close: () => unknown) => void;
}

/** Who hears of everything that happens, and decides nothing. */
export interface Observers {
  readonly trail: Trail;
  readonly refusals: Refusals;
  readonly health: ReturnType<typeof serverHealth>;
  readonly meters: Meters;
}

/** Opens log, audit trail, refusals, health and meters, and lets them listen. */
export function openObservers({
  configuration: { log, audit },
  installation: { database },
  events,
  counters,
  expiring,
  now,
  atEnd,
}: ObserversOptions): Observers {
  const emit = events.emit.bind(events);
  const write = eventLog({ level: log.level, now });
  const { retention, maximumRows, maximumRefusals } = audit;
  const trail = openTrail({ database, now, emit, retention, maximumRows });
  atEnd(() => trail.close());
  const refusals = openRefusals({ database, now, random: randomBytes, emit, retention, maximumRows: maximumRefusals });
  atEnd(() => refusals.close());
  const health = serverHealth();
  events.on('*', (event) => health.observe(event));
  const meters = openMeters({ counters, trail, refusals, expiring });
  events.on('*', write);
  events.on('*', (event) => trail.record(event));
  events.on('*', (event) => meters.observe(event));
  return { trail, refusals, health, meters };
}
