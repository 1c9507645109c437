import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { authorizer } from '../authorization/authorizer.ts';
import { Containments } from '../authorization/containments.ts';
import { PolicyStore } from '../authorization/policy-store.ts';
import { Broker } from '../broker/broker.ts';
import { newCounters } from '../broker/counters.ts';
import { SqliteSessionStore } from '../broker/sqlite-session-store.ts';
import { SocketExchange } from '../bus/socket-exchange.ts';
import { RemoteCommit } from '../storage/remote-commit.ts';
import { overheardKind } from '../wiring/sent-commands.ts';
import { attendElsewhere } from './attend-elsewhere.ts';
import type { BusWord, OfficeCalls, SocketWord, WorkerCalls, WorkerPlan } from './calls.ts';
import { CopiedDemands } from './copied-demands.ts';
import type { Line } from './line.ts';
import { remoteArrival } from './remote-arrival.ts';
import { serveSockets } from './serve-sockets.ts';
import { toldRefusals } from './told-refusals.ts';

/** A worker as its process sees it. */
export interface ServingWorker {
  readonly calls: Omit<WorkerCalls, 'begin'>;
  /** Takes over a socket that the office has handed to this process. */
  take(word: SocketWord | BusWord, socket: Socket): void;
}

/** Builds a worker: a broker whose questions are answered by the office. It reads no file and has no key but what the plan brings. */
export function buildWorker(
  plan: WorkerPlan,
  office: Line<OfficeCalls, WorkerCalls>,
  now: () => number = Date.now,
): ServingWorker {
  const emit: (event: Parameters<OfficeCalls['event']>[0]) => void = (event) => office.tell('event', event);
  const refuse = toldRefusals({
    now,
    random: randomBytes,
    share: 1 / plan.workers,
    tell: (refusals, untraced) => office.tell('refusals', refusals, untraced),
  });
  const policies = new PolicyStore({ findDocument: (organisation) => office.ask('policy', organisation), now });
  const containments = new Containments();
  for (const [principal, level] of plan.containments) containments.set(principal, level);
  const demands = new CopiedDemands(plan.demands);
  const door = authorizer({ policies, containments, refuse, now });
  const { arrive, challenge, conclude } = remoteArrival(office, door);
  const log = new RemoteCommit({
    send: (bytes) => office.bytes(bytes),
    read: (sql) => office.ask('readStore', sql),
  });
  const counters = newCounters();
  const exchange = new SocketExchange(plan.number);
  const ways = new Map<number, Socket>();
  const broker = new Broker({
    now,
    random: randomBytes,
    events: { emit },
    limits: plan.limits,
    arrive,
    regrounds: (grounds, transport) => office.ask('regrounds', grounds, transport),
    limitsOf: (principal) => office.ask('limitsOf', principal),
    askForDevice: (gateway, roles, device) => office.ask('askForDevice', gateway, roles, device),
    refuse,
    attend: attendElsewhere((topic, heard) => office.tell('heard', topic, heard), now),
    overhear: (topic) =>
      overheardKind(topic) === undefined ? undefined : (heard) => office.tell('overheard', topic, heard),
    payloadDemands: demands,
    counters,
    store: new SqliteSessionStore(log),
    workers: { exchange },
  });
  if (plan.storeProblem !== undefined) log.tellFailing(plan.storeProblem);
  const sockets = serveSockets(plan.listeners, office, broker.accept.bind(broker));

  return {
    take(word, socket) {
      if ('listener' in word) {
        sockets.take(word, socket);
        return;
      }
      ways.set(word.peer, socket);
      office.tell('hasWay', word.peer);
    },
    calls: {
      setCredentials: sockets.setCredentials,
      setTicketKeys: sockets.setTicketKeys,
      join(peer) {
        const socket = ways.get(peer);
        ways.delete(peer);
        if (socket !== undefined) exchange.connect(peer, socket);
      },
      policyChanged: (organisation) => policies.changed(organisation),
      policyRemoved: (organisation) => policies.removed(organisation),
      setDemand: (type, demand) => demands.set(type, demand),
      setContainment: (principal, level) => containments.set(principal, level),
      challenge,
      conclude,
      storeCommitted: () => log.tellCommitted(),
      storeFailing: (problem) => log.tellFailing(problem),
      storeRecovered: () => log.tellRecovered(),
      ready: (workers) => broker.ready(workers),
      counters: () => counters,
      alive() {},
      async close(reason) {
        sockets.close();
        await broker.close(reason);
        await log.flush();
        await exchange.close();
      },
    },
  };
}
