import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { ServerEvent } from '../events/events.ts';

export interface MetersOptions {
  /** The broker's counters: plain numbers, read at each scrape and never touched otherwise. */
  readonly counters: Readonly<Record<keyof typeof BROKER_METERS, number>>;
  /** Rows of the audit trail. */
  readonly trail: { readonly counts: { readonly written: number; readonly waiting: number; readonly lost: number } };
  readonly refusals: { readonly counts: { readonly total: number; readonly untraced: number } };
  /** How many certificates of each kind end within so many days. */
  readonly expiring?: () => Readonly<Record<string, Readonly<Record<number, number>>>>;
}

/** What is measured, for the reference page: name, kind and meaning. */
export interface MeterRow {
  readonly name: string;
  readonly kind: 'counter' | 'gauge';
  readonly meaning: string;
}

/** Numbers of the broker and what they are called outside. */
const BROKER_METERS = {
  connectionsNow: row('sallyport_connections', 'gauge', 'Open connections, with or without CONNECT.'),
  sessionsNow: row('sallyport_sessions', 'gauge', 'Sessions, connected and kept.'),
  sessionsOpened: row('sallyport_sessions_opened_total', 'counter', 'Sessions opened or resumed.'),
  sessionsRefused: row('sallyport_sessions_refused_total', 'counter', 'CONNECT packets that were refused.'),
  sessionsTakenOver: row(
    'sallyport_sessions_taken_over_total',
    'counter',
    'Connections ended by a newer one with the same client id.',
  ),
  bytesReceived: row('sallyport_received_bytes_total', 'counter', 'Bytes from MQTT clients.'),
  bytesSent: row('sallyport_sent_bytes_total', 'counter', 'Bytes to MQTT clients.'),
  packetsReceived: row('sallyport_received_packets_total', 'counter', 'MQTT packets from clients.'),
  messagesReceived: row('sallyport_received_messages_total', 'counter', 'PUBLISH packets from clients.'),
  messagesSent: row('sallyport_sent_messages_total', 'counter', 'PUBLISH packets to clients.'),
  messagesDenied: row('sallyport_denied_messages_total', 'counter', 'PUBLISH packets that were not permitted.'),
  subscriptionsDenied: row('sallyport_denied_subscriptions_total', 'counter', 'Subscriptions that were not permitted.'),
  deliveriesDenied: row(
    'sallyport_denied_deliveries_total',
    'counter',
    'Deliveries withheld because the receiver may not receive the topic.',
  ),
  droppedSlowPeer: row(
    'sallyport_dropped_slow_peer_total',
    'counter',
    'QoS 0 messages that a slow client has not got.',
  ),
  droppedQueueFull: row('sallyport_dropped_queue_full_total', 'counter', 'Messages that fell out of a full queue.'),
  droppedExpired: row('sallyport_dropped_expired_total', 'counter', 'Messages that expired while they waited.'),
  droppedTooLarge: row('sallyport_dropped_too_large_total', 'counter', 'Messages larger than their receiver takes.'),
  protocolErrors: row(
    'sallyport_protocol_errors_total',
    'counter',
    'Connections ended because of malformed or forbidden packets.',
  ),
  slowedDown: row(
    'sallyport_slowed_connections_total',
    'counter',
    'Connections that began to be read more slowly because they did not keep to their rates.',
  ),
  keepAliveTimeouts: row(
    'sallyport_keep_alive_timeouts_total',
    'counter',
    'Connections ended because nothing came in time.',
  ),
  connectTimeouts: row(
    'sallyport_connect_timeouts_total',
    'counter',
    'Connections ended because no CONNECT came in time.',
  ),
  retainedNow: row('sallyport_retained_messages', 'gauge', 'Retained messages.'),
  retainedBytesNow: row('sallyport_retained_bytes', 'gauge', 'Bytes of the retained messages.'),
  retainedRefused: row(
    'sallyport_retained_refused_total',
    'counter',
    'Retained messages that were not kept because the bound was reached.',
  ),
  subscriptionsNow: row('sallyport_subscriptions', 'gauge', 'Subscriptions in force.'),
  queuedNow: row('sallyport_queued_messages', 'gauge', 'Messages that wait for their clients.'),
  defects: row('sallyport_broker_defects_total', 'counter', 'Errors of this software that ended a connection.'),
} satisfies Record<string, MeterRow>;

const OTHER_METERS = {
  refusals: row('sallyport_refusals_total', 'counter', 'Refusals by action and reason, exact however many there are.'),
  untraced: row(
    'sallyport_refusals_untraced_total',
    'counter',
    'Refusals that were counted without a trace of their own, because there were too many.',
  ),
  auditWritten: row('sallyport_audit_rows_total', 'counter', 'Rows written to the audit trail.'),
  auditWaiting: row('sallyport_audit_rows_waiting', 'gauge', 'Rows that wait to be written.'),
  auditLost: row('sallyport_audit_rows_lost_total', 'counter', 'Rows lost because the disk did not take them.'),
  unlocks: row(
    'sallyport_unlocks_total',
    'counter',
    'Steps of one-time codes: requested, delivered, undelivered, refused, succeeded, failed, lifted, code-in-reply.',
  ),
  expiring: row(
    'sallyport_certificates_expiring',
    'gauge',
    'Certificates and authorities that end within so many days, by kind and days; client certificates only without a successor.',
  ),
  revocationFailing: row(
    'sallyport_revocation_sources_failing',
    'gauge',
    'Revocation lists and OCSP responders of imported authorities that cannot be used.',
  ),
  workers: row(
    'sallyport_workers',
    'gauge',
    'Worker processes that take connections; 0 where there is one process for all.',
  ),
  workersLost: row('sallyport_workers_lost_total', 'counter', 'Worker processes that have died and were replaced.'),
  storeFailing: row('sallyport_store_failing', 'gauge', '1 while a store cannot be written, by store.'),
} as const;

/** Every meter of Sallyport itself; those of the process come from the metrics library. */
export const METERS: readonly MeterRow[] = [...Object.values(BROKER_METERS), ...Object.values(OTHER_METERS)];

export interface Meters {
  /** A listener of the event stream. */
  observe(event: ServerEvent): void;
  /** Prometheus text format. */
  text(): Promise<string>;
}

/** Meters in a registry of their own. Labels come from closed lists: no client can make a new one. */
export function openMeters({ counters, trail, refusals, expiring = () => ({}) }: MetersOptions): Meters {
  const registers = [new Registry()];
  const [registry] = registers as [Registry];
  collectDefaultMetrics({ register: registry });

  for (const key of Object.keys(BROKER_METERS) as (keyof typeof BROKER_METERS)[]) {
    read(registers, BROKER_METERS[key], () => counters[key]);
  }
  read(registers, OTHER_METERS.untraced, () => refusals.counts.untraced);
  read(registers, OTHER_METERS.auditWritten, () => trail.counts.written);
  read(registers, OTHER_METERS.auditWaiting, () => trail.counts.waiting);
  read(registers, OTHER_METERS.auditLost, () => trail.counts.lost);
  const refused = new Counter({
    name: OTHER_METERS.refusals.name,
    help: OTHER_METERS.refusals.meaning,
    labelNames: ['action', 'reason'],
    registers,
  });
  const unlocks = new Counter({
    name: OTHER_METERS.unlocks.name,
    help: OTHER_METERS.unlocks.meaning,
    labelNames: ['step'],
    registers,
  });
  new Gauge({
    name: OTHER_METERS.expiring.name,
    help: OTHER_METERS.expiring.meaning,
    labelNames: ['what', 'days'],
    registers,
    collect() {
      this.reset();
      for (const [what, counts] of Object.entries(expiring())) {
        for (const [days, count] of Object.entries(counts)) this.set({ what, days }, count);
      }
    },
  });
  const silent = new Set<string>();
  read(registers, OTHER_METERS.revocationFailing, () => silent.size);
  const workers = new Set<number>();
  let workersLost = 0;
  read(registers, OTHER_METERS.workers, () => workers.size);
  read(registers, OTHER_METERS.workersLost, () => workersLost);
  const failing = new Gauge({
    name: OTHER_METERS.storeFailing.name,
    help: OTHER_METERS.storeFailing.meaning,
    labelNames: ['store'],
    registers,
  });

  return {
    observe(event) {
      if ('refusal' in event) refused.inc({ action: event.refusal.action, reason: event.refusal.reason });
      else if (event.type.startsWith('unlock.')) unlocks.inc({ step: event.type.slice('unlock.'.length) });
      else if (event.type === 'revocation.failing') silent.add(`${event.authority} ${event.url}`);
      else if (event.type === 'revocation.recovered') silent.delete(`${event.authority} ${event.url}`);
      else if (event.type === 'worker.started') workers.add(event.worker);
      else if (event.type === 'worker.stopped') workers.delete(event.worker);
      else if (event.type === 'worker.lost') {
        workers.delete(event.worker);
        workersLost++;
      } else if (event.type === 'store.failing') failing.set({ store: event.store }, 1);
      else if (event.type === 'store.recovered') failing.set({ store: event.store }, 0);
    },
    text: () => registry.metrics(),
  };
}

/** A meter whose value is fetched at each scrape. */
function read(registers: Registry[], { name, kind, meaning: help }: MeterRow, value: () => number): void {
  if (kind === 'gauge') {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value());
      },
    });
    return;
  }
  new Counter({
    name,
    help,
    registers,
    collect() {
      this.reset();
      this.inc(value());
    },
  });
}

function row(name: string, kind: MeterRow['kind'], meaning: string): MeterRow {
  return { name, kind, meaning };
}
