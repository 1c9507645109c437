import type { Identity } from '../identity.ts';
import type { ConnectionStretch } from './connection-rate.ts';
import type { Muster } from './fleet.ts';
import type { LatencyStretch } from './latency.ts';
import type { Target } from './load-client.ts';
import type { Stretch } from './measure.ts';

/** What the conductor can ask of a generator process, and what it answers. Durations in milliseconds. */
export interface Orders {
  muster: { ask: { fleet: string; muster: Muster }; answer: null };
  dismiss: { ask: { fleet: string }; answer: null };
  throughput: {
    ask: { fleet: string; serverPid: number; qos: 0 | 1; window: number; warmup: number; duration: number };
    answer: Stretch;
  };
  latency: { ask: { fleet: string; rate: number; duration: number }; answer: LatencyStretch };
  connections: {
    ask: {
      identities: readonly Identity[];
      target: Target;
      serverPid: number;
      warmup: number;
      duration: number;
      resume: boolean;
    };
    answer: ConnectionStretch;
  };
}

export type OrderName = keyof Orders;

export interface Order<Name extends OrderName = OrderName> {
  readonly id: number;
  readonly name: Name;
  readonly ask: Orders[Name]['ask'];
}

export type Reply = { readonly id: number; readonly answer: unknown } | { readonly id: number; readonly error: string };
