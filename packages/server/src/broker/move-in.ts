import type { Connect } from '@sallyport/mqtt';
import type { Admission } from './arrival.ts';
import type { ClaimAnswer } from './claim-request.ts';
import { type BrokerContext, realmOf } from './context.ts';
import { enqueue } from './enqueue.ts';
import type { BrokerLimits } from './limits.ts';
import type { Message } from './message.ts';
import { attach, type Taken, type Yielded } from './move-out.ts';
import type { MovedMessage } from './moved-message.ts';
import type { Realm } from './realm.ts';
import { reconsider } from './reconsider.ts';
import { Session } from './session.ts';
import type { Arriving } from './stash.ts';
import { withBytes } from './stored-session.ts';
import type { Team } from './team.ts';
import type { FrameBody } from './team-frames.ts';
import { DONE, LOST, type Outcome, REFUSED } from './tickets.ts';
import { AWAITS_PUBCOMP, FREE } from './window.ts';

type Granted = Extract<ClaimAnswer, { id: number }>;
/** What may be read from JSON, where there is no Infinity; `failed`: the other worker could not answer. */
type Told<T> = T | { readonly failed: string } | undefined;

/**
 * Brings the session of an admitted client from the worker that has it, with all that waits in it. From the first moment on, what is
 * published for it is gathered here too; what the other worker has taken of that is sorted out by the numbers of the messages, so that
 * nothing is lost and nothing comes twice. `none`: there was nothing to bring. `lost`: it has not come, and stays where it was.
 */
export async function fetchSession(
  context: BrokerContext,
  team: Team,
  packet: Connect,
  admission: Admission,
  limits: BrokerLimits,
  { id, clientId, from = -1 }: Granted,
): Promise<'moved' | 'none' | 'lost'> {
  const { organisation } = admission;
  const { cleanStart } = packet;
  const taken = (await team.ask(from, { do: 'take', id, organisation, clientId, cleanStart })) as Told<Taken>;
  if (taken === undefined || 'failed' in taken) return 'lost';
  if (!taken.kept) return 'none';

  const realm = realmOf(context, organisation);
  const session = new Session(organisation, clientId);
  // Nothing that gathers here may fall out: what is too much does so when the session has come.
  const boundless = { queueMessages: Number.POSITIVE_INFINITY, queueBytes: Number.POSITIVE_INFINITY };
  session.admit(admission, packet.protocolVersion, { ...limits, ...boundless });
  session.share = taken.stored.share;
  for (const one of taken.subscriptions) {
    session.keepSubscription({ ...one, share: one.share, receiver: session });
  }
  const arriving: Arriving = { session, origins: [], tickets: [] };
  team.stash.add(arriving);
  for (const subscription of session.subscriptions.values()) realm.router.add(subscription);
  const messages: MovedMessage[] = [];
  team.moved.set(id, messages);
  const workers = [...team.members.keys()];
  for (const number of workers) if (number !== from) team.say(number, { say: 'mark', id, to: from });

  const end = (): void => {
    team.stash.remove(arriving);
    team.moved.delete(id);
    for (const subscription of session.subscriptions.values()) realm.router.remove(subscription);
    if (realm.empty) context.realms.delete(organisation);
  };
  const answer = (outcome: Outcome): void => {
    for (const ticket of arriving.tickets.splice(0)) team.tickets.settle(ticket, outcome);
  };
  try {
    const yielded = (await team.ask(from, { do: 'yield', id, workers })) as Told<Yielded>;
    const came = yielded !== undefined && !('failed' in yielded);
    // From here on the other worker's session is this one, or the office has not heard of it.
    const written = came && yielded.kept && (await team.office.settle(id, true));
    end();
    if (!came || (yielded.kept && !written)) {
      answer(LOST);
      return 'lost';
    }
    if (!yielded.kept) {
      answer(DONE);
      return 'none';
    }
    settleIn(context, realm, arriving, { ...limits }, yielded, messages);
    // What has ended while it was nowhere ends it now, also if its client has not waited.
    void reconsider(context, realm, session);
    context.durability.whenSaved((saved) => answer(saved ? DONE : REFUSED));
    return 'moved';
  } catch (error) {
    end();
    answer(LOST);
    throw error;
  }
}

/** Makes of what has gathered here, and of what has come, one session of an absent client. */
function settleIn(
  context: BrokerContext,
  realm: Realm,
  { session, origins }: Arriving,
  limits: BrokerLimits,
  { stored, received, last }: Extract<Yielded, { kept: true }>,
  messages: readonly MovedMessage[],
): void {
  const { counters, durability } = context;
  const { queue, window } = session;
  const gathered: { message: Message; flags: number; identifiers: Buffer | undefined }[] = [];
  for (let index = 0; queue.length > 0; index++) {
    const { worker, message: number } = origins[index]!;
    if (number > (last[worker] ?? -1)) {
      gathered.push({ message: queue.first!, flags: queue.firstFlags, identifiers: queue.firstIdentifiers });
    }
    queue.shift();
    counters.queuedNow--;
  }
  session.limits = limits;
  session.storeId = stored.id;
  session.version = stored.version;
  session.expiry = stored.expiry;
  session.connectedAt = stored.connectedAt;
  session.lastLeft = stored.leftAt;
  session.lastFacts = stored.facts;
  session.lastAddress = stored.facts.remoteAddress;
  session.lastTransport = stored.facts.transport;
  const { will } = withBytes(stored);
  session.will = will && { message: will.message, delay: will.delay, expiry: will.expiry };
  for (const packetId of received) session.hold(packetId);
  let positions = 0;
  let ids = 0;
  for (const { position, message, flags, identifiers, packetId, state } of messages) {
    positions = Math.max(positions, position);
    ids = Math.max(ids, message?.storeId ?? 0);
    if (state === FREE && message !== undefined) {
      queue.push(message, flags, identifiers, position);
      counters.queuedNow++;
    } else if (state !== FREE && (message !== undefined || state === AWAITS_PUBCOMP)) {
      window.restore(packetId, message, flags, identifiers, state, position);
    }
  }
  durability.skip({ sessions: stored.id, messages: ids, positions });
  attach(context, realm, session);
  for (const { message, flags, identifiers } of gathered) enqueue(context, session, message, flags, identifiers);
}

/** Reads a message of a session that moves here; the number of the claim by which it does. */
export function readMoved(body: FrameBody): readonly [id: number, moved: MovedMessage] {
  const id = body.number();
  const position = body.number();
  const flags = body.byte();
  const packetId = body.short();
  const state = body.byte();
  const storeId = body.number();
  const qos = body.byte();
  const payloadStart = body.word();
  const bits = body.byte();
  const expiresAt = body.number();
  const identifiers = body.copy();
  const topic = body.text();
  const content = Buffer.from(body.bytes.subarray(body.at, body.end));
  if (qos > 2 || state > AWAITS_PUBCOMP || payloadStart > content.length) {
    throw new RangeError('A message of a session that moves is none.');
  }
  const message: Message | undefined =
    (bits & 1) === 0
      ? undefined
      : {
          topic,
          topicBytes: Buffer.from(topic),
          body: content,
          payloadStart,
          qos: qos as Message['qos'],
          retain: (bits & 2) !== 0,
          expiresAt,
          storeId,
          references: position > 0 ? 1 : 0,
          volatile: false,
        };
  return [id, { position, message, flags, identifiers: (bits & 4) === 0 ? undefined : identifiers, packetId, state }];
}
