import { ReasonCode, writeAck } from '@sallyport/mqtt';
import type { BrokerContext } from './context.ts';
import { ACK_TYPES, reasonOf } from './durability.ts';
import { CLOSE_CODES } from './ending.ts';
import type { Link } from './link.ts';
import { isPuback, isPubrec, type PendingAcks, PUBLISH } from './pending-acks.ts';
import { sendHeld } from './pump.ts';
import type { Receiver } from './receiver.ts';
import type { StoreListener, Unsaved } from './session-store.ts';

const STORE = 'sessions';

/** What the broker does when its store has committed, begins to fail, or works again. */
export function storeAnswers(context: BrokerContext): StoreListener {
  const { events } = context;
  return {
    committed: () => settle(context),
    failing(problem, unsaved) {
      events.emit({ type: 'store.failing', store: STORE, problem: textOf(problem) });
      refuseUnsaved(context, unsaved);
    },
    recovered() {
      saveAgain(context);
      events.emit({ type: 'store.recovered', store: STORE });
    },
  };
}

/** Says what has waited for the store. */
function settle(context: BrokerContext): void {
  const { durability } = context;
  const { committed } = durability.store;
  const { waiting } = durability;
  context.team?.committed(committed);
  durability.waiting = [];
  for (let index = 0; index < waiting.length; index++) {
    const receiver = waiting[index]!;
    const pending = receiver.pending!;
    sayReady(context, receiver);
    if (pending.length === 0 || pending.latest <= committed) pending.listed = false;
    else durability.waiting.push(receiver);
  }
  const { tasks, store, unsaved } = durability;
  if (!unsaved.empty && !store.behind && !store.failing) saveAgain(context);
  if (tasks.length === 0) return;
  durability.tasks = tasks.filter(({ sequence }) => sequence > committed);
  for (const { sequence, done } of tasks) if (sequence <= committed) done(true);
}

/** Says what a client waits for, as far as the store has committed it and other workers are done. */
export function sayReady(context: BrokerContext, receiver: Receiver): void {
  const { link, pending } = receiver;
  const { committed } = context.durability.store;
  if (link === undefined || pending === undefined || !isReady(context, pending, committed)) return;
  do {
    const kind = pending.firstKind;
    const packetId = pending.firstPacketId;
    pending.shift();
    if (kind === PUBLISH) sendHeld(context, receiver, link, packetId);
    else writeAck(link.slab, ACK_TYPES[kind]!, packetId, reasonOf(kind), link.version);
  } while (isReady(context, pending, committed));
  link.touch();
}

function isReady({ team }: BrokerContext, pending: PendingAcks, committed: number): boolean {
  if (pending.length === 0 || pending.firstSequence > committed) return false;
  const ticket = pending.firstTicket;
  return ticket === 0 || team === undefined || team.tickets.done(ticket);
}

/**
 * Tells publishers that their messages were not stored: 0x97 in MQTT 5; below, where an acknowledgement cannot say no, the connection
 * ends. What else waits goes on waiting: it needs no room.
 */
function refuseUnsaved(context: BrokerContext, unsaved: Unsaved): void {
  const { durability } = context;
  const { committed } = durability.store;
  durability.unsaved.add(unsaved);
  context.team?.refuseUnsaved(committed);
  for (const receiver of [...durability.waiting]) {
    const pending = receiver.pending!;
    const { link } = receiver;
    if (link === undefined) continue;
    const waiting = pending.length;
    let refused = 0;
    for (let step = 0; step < waiting; step++) {
      const { firstKind: kind, firstPacketId: packetId, firstSequence: sequence, firstTicket: ticket } = pending;
      pending.shift();
      if (sequence <= committed || (!isPuback(kind) && !isPubrec(kind))) {
        pending.push(kind, packetId, sequence, ticket);
        continue;
      }
      if (isPubrec(kind)) durability.unhold(receiver, packetId);
      if (link.version === 5) writeAck(link.slab, ACK_TYPES[kind]!, packetId, ReasonCode.quotaExceeded, 5);
      refused++;
    }
    if (refused === 0) continue;
    if (link.version === 5) link.touch();
    else endForStore(link);
  }
  const { tasks } = durability;
  durability.tasks = [];
  for (const { done } of tasks) done(false);
}

/** Ends a connection whose publish cannot be stored. */
export function endForStore(link: Link): void {
  link.end({
    reasonCode: ReasonCode.quotaExceeded,
    closeCode: CLOSE_CODES.closedByServer,
    text: 'The message could not be stored: the session store of the server does not take anything at the moment.',
    will: true,
  });
}

/** Puts what the store could not take. */
function saveAgain(context: BrokerContext): void {
  const { durability, realms } = context;
  const { sessions, retained } = durability.unsaved;
  const wanted = new Set(sessions);
  const topics = [...retained];
  durability.unsaved.clear();
  for (const realm of realms.values()) {
    for (const session of realm.sessions.values()) if (wanted.has(session.storeId)) durability.saveAgain(session);
  }
  for (const [organisation, all] of topics) {
    for (const topic of all) {
      const message = realms.get(organisation)?.retained.get(topic);
      if (message === undefined) durability.unretain(organisation, topic);
      else durability.retain(organisation, message);
    }
  }
}

function textOf(problem: unknown): string {
  return problem instanceof Error ? problem.message : String(problem);
}
