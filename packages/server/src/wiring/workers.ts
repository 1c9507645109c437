import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import type { Refusals } from '../audit/refusals.ts';
import type { Containments } from '../authorization/containments.ts';
import type { PolicyStore } from '../authorization/policy-store.ts';
import type { Arrive, Regrounds } from '../broker/arrival.ts';
import type { Attend, Overhear } from '../broker/attend.ts';
import type { Broker } from '../broker/broker.ts';
import type { BrokerCounters } from '../broker/counters.ts';
import type { AskForDevice } from '../broker/gateway-devices.ts';
import type { BrokerLimits } from '../broker/limits.ts';
import type { PayloadDemand } from '../broker/payload-demand.ts';
import type { Readmit } from '../broker/restore.ts';
import type { SessionDatabase } from '../broker/sqlite-session-store.ts';
import type { BrokerApi } from '../broker/whole-server.ts';
import type { WorkerLinks } from '../broker/workers.ts';
import { MOST_WORKERS } from '../bus/exchange.ts';
import { SocketExchange } from '../bus/socket-exchange.ts';
import type { Configuration } from '../config/schema.ts';
import type { ServerEvent } from '../events/events.ts';
import type { HandedOver } from '../listeners/hand-over.ts';
import type { HandshakeFailureReport } from '../listeners/handshake-problem.ts';
import type { Registry } from '../registry/registry.ts';
import { askForWorker, type RecordingAuthorizer } from '../workers/arrival-desk.ts';
import type { ListenerPlan, OfficeCalls } from '../workers/calls.ts';
import { workerCount } from '../workers/cores.ts';
import { Crew } from '../workers/crew.ts';
import type { SummedCounters } from '../workers/summed-counters.ts';

export interface WorkersParts {
  readonly configuration: Pick<Configuration, 'workers' | 'limits'>;
  readonly registry: Pick<Registry, 'policies'>;
  readonly refusals: Pick<Refusals, 'adopt'>;
  readonly store: SessionDatabase;
  readonly authorizer: RecordingAuthorizer;
  readonly containments: Pick<Containments, 'all'>;
  readonly demands: { all(): readonly (readonly [type: string, demand: PayloadDemand])[] };
  readonly limits: BrokerLimits;
  /** Of this process. */
  readonly counters: Readonly<BrokerCounters>;
  /** Of all. */
  readonly counted: SummedCounters;
  readonly arrive: Arrive;
  readonly regrounds: Regrounds;
  readonly limitsOf: OfficeCalls['limitsOf'];
  readonly askForDevice: AskForDevice;
  readonly attend: Attend;
  readonly overhear: Overhear;
  readonly admitCertificate: OfficeCalls['admitCertificate'];
  readonly onHandshakeFailure: HandshakeFailureReport;
  /** Of this process. */
  readonly broker: () => Broker;
  /** Judges the sessions of a worker that has died. */
  readonly readmit: Readmit;
  readonly emit: (event: ServerEvent) => void;
}

/** The worker processes of a server, as the rest of it sees them. */
export interface Workers {
  /** For the broker of this process. */
  readonly links: WorkerLinks;
  /** The broker of all, which judges nobody anew before every worker has heard of what has changed. */
  after(whole: BrokerApi): BrokerApi;
  /** Policies that are in force in every worker when a change is done. */
  policies(own: PolicyStore): Pick<PolicyStore, 'changed' | 'removed'>;
  /** Starts the processes, which then serve these listeners; asked again for each that is started later. */
  start(listeners: () => readonly ListenerPlan[]): Promise<void>;
  tell: Crew['tell'];
  /** Resolves when all have heard what they were told. */
  heard(): Promise<void>;
  /** The whole server, with what comes by WebSocket, has as many connections as it may have. */
  full(): boolean;
  /** Hands a connection to a worker, or closes it if there is none or the whole server has as many as it may have. */
  give(listener: string, socket: Socket, counted: HandedOver): void;
  /** Asks the workers what they have counted. */
  count(): Promise<void>;
  close(reason: string): Promise<void>;
}

/** Undefined where the configuration wants one process for everything. */
export function openWorkers(parts: WorkersParts): Workers | undefined {
  const { configuration, registry, refusals, store, authorizer, containments, demands, limits, emit } = parts;
  const count = workerCount(configuration.workers, MOST_WORKERS - 1);
  if (count <= 1) return undefined;
  authorizer.record();
  const { counted } = parts;
  const exchange = new SocketExchange(0);
  let listeners: () => readonly ListenerPlan[] = () => [];
  let storeProblem: string | undefined;
  const crew: Crew = new Crew({
    count,
    exchange,
    folder: tmpdir(),
    emit,
    plan: () => ({
      workers: count + 1,
      limits,
      listeners: listeners(),
      demands: demands.all(),
      containments: containments.all(),
      ...(storeProblem === undefined ? {} : { storeProblem }),
    }),
    desk: (worker, line) => ({
      arrive: (question) => askForWorker(question, line, { arrive: parts.arrive, authorizer }),
      regrounds: parts.regrounds,
      limitsOf: parts.limitsOf,
      askForDevice: parts.askForDevice,
      admitCertificate: parts.admitCertificate,
      policy: async (organisation) => (await registry.policies.get(organisation))?.text,
      handshakeFailed: parts.onHandshakeFailure,
      heard: (topic, heard) => void parts.attend(topic, heard.principal)?.(heard),
      overheard: (topic, heard) => parts.overhear(topic)?.(heard),
      event: (event) => emit(named(event, worker)),
      refusals: (adopted, untraced) => refusals.adopt(adopted, untraced),
      readStore: (sql) => store.rows(sql),
    }),
    onRecords: (bytes, done) => store.append(bytes, done),
    async bury(worker) {
      counted.forget(worker);
      await parts.broker().adopt(worker, parts.readmit);
    },
  });
  const full = (): boolean => crew.connections + parts.counters.connectionsNow >= limits.connections;
  store.follow({
    failing(problem) {
      storeProblem = problem;
      crew.tell('storeFailing', problem);
    },
    recovered() {
      storeProblem = undefined;
      crew.tell('storeRecovered');
    },
  });

  return {
    links: { exchange, lost: (worker) => crew.giveUp(worker) },
    after: (whole) => ({
      ...whole,
      async reconsider(match) {
        await crew.heard();
        await whole.reconsider(match);
      },
    }),
    policies: (own) => ({
      async changed(organisation) {
        // A policy that cannot be used fails here at once: the change is not over before every worker has let go of the one before.
        const [, here] = await Promise.allSettled([crew.ask('policyChanged', organisation), own.changed(organisation)]);
        if (here.status === 'rejected') throw here.reason;
      },
      removed(organisation) {
        crew.tell('policyRemoved', organisation);
        own.removed(organisation);
      },
    }),
    start(plans) {
      listeners = plans;
      return crew.start();
    },
    tell: crew.tell.bind(crew),
    heard: () => crew.heard(),
    full,
    give(listener, socket, one) {
      if (!full() && crew.give(listener, socket, one)) return;
      socket.destroy();
      one.settled();
      one.gone();
    },
    async count() {
      for (const { worker, counters } of await crew.count()) counted.update(worker, counters);
    },
    async close(reason) {
      await crew.close(reason, limits.closeDeadline);
      await exchange.close();
    },
  };
}

/** Says in which worker something went wrong. */
function named(event: ServerEvent, worker: number): ServerEvent {
  return event.type === 'defect' ? { ...event, where: `worker ${worker}: ${event.where}` } : event;
}
