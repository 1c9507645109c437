import { isGroup } from './abroad.ts';
import type { BrokerContext } from './context.ts';
import { realmOf } from './context.ts';
import { deliverToAll, deliverToOne } from './delivery.ts';
import type { Destination } from './destination.ts';
import { FORWARD, forward, HANDED_OUT, handOut } from './forward.ts';
import { keepRetained } from './keep-retained.ts';
import { reachesStored } from './needs-store.ts';
import type { Passage } from './passage.ts';
import { NO_PROPERTIES } from './publish-properties.ts';
import type { Realm } from './realm.ts';
import type { Route } from './route.ts';
import { MOST_NUMBERS, putAt, UNNUMBERED } from './route-numbers.ts';
import type { Team } from './team.ts';
import type { FrameBody } from './team-frames.ts';
import type { Member } from './team-member.ts';
import { DONE, REFUSED } from './tickets.ts';

/**
 * Takes a message that another worker forwards, for the sessions of this one; `named`: its organisation and topic are told. Throws a RangeError
 * if the frame is none.
 */
export function takeForward(context: BrokerContext, team: Team, member: Member, body: FrameBody, named: boolean): void {
  const bits = body.byte();
  const qos = bits & 3;
  const owed = (bits & FORWARD.owed) !== 0;
  if (qos === 3 || (owed && qos === 0)) throw new RangeError('A forwarded message has bits that mean nothing.');
  const retain = (bits & FORWARD.retain) !== 0;
  const message = body.words();
  const expiresAt = (bits & FORWARD.expires) === 0 ? 0 : body.words();
  const stamp = retain ? body.words() : 0;
  const shared = (bits & FORWARD.shared) === 0 ? undefined : readShared(team, body);
  const { realm, route } = destination(context, member, body, named);
  const length = body.word();
  const properties = body.skip(length);
  const { bytes, at: payloadStart, end: payloadEnd } = body;

  const frame = owed ? member.heard() : 0;
  if ((bits & FORWARD.toAll) !== 0) member.lastMessage = message;
  const { passage, durability } = context;
  if (qos > 0 && durability.store.failing && reachesStored(realm, route)) {
    if (owed) member.refuse(frame, REFUSED);
    return;
  }
  const before = durability.store.written;
  const remaining = expiresAt === 0 ? -1 : Math.max(0, Math.ceil((expiresAt - context.now()) / 1000));
  const forwarded = length === 0 ? NO_PROPERTIES : bytes.subarray(properties, properties + length);
  team.ticket = 0;
  passage.busy = true;
  try {
    passage.begin(
      route,
      undefined,
      qos as 0 | 1 | 2,
      retain,
      bytes,
      payloadStart,
      payloadEnd,
      forwarded,
      remaining,
      expiresAt,
    );
    if (retain) retainForeign(context, team, realm, passage, stamp, (bits & FORWARD.volatile) !== 0);
    if ((bits & FORWARD.toAll) !== 0) deliverToAll(context, passage);
    team.stash.note(team, member.peer.number, message);
    if (shared !== undefined) {
      for (const group of shared.groups) deliverShared(context, team, realm, passage, route, group, shared.tried);
      team.stash.note(team, member.peer.number, Number.POSITIVE_INFINITY);
    }
  } finally {
    passage.finish();
    if (realm.empty) context.realms.delete(realm.organisation);
  }
  if (!owed) return;
  const { written } = durability.store;
  const { ticket } = team;
  member.owes(frame, written === before ? 0 : written, ticket);
  if (ticket > 0) {
    team.tickets.hold(ticket, (outcome) => {
      if (outcome !== DONE) member.refuse(frame, outcome);
      team.owing.add(member);
    });
  }
}

/** Groups that are to have a message, and the workers that have had it for them, this one included. */
function readShared(team: Team, body: FrameBody) {
  const tried = Array.from({ length: body.byte() }, () => body.byte());
  const groups = Array.from({ length: body.byte() }, () => ({ share: body.text(), filter: body.text() }));
  return { tried: [...tried, team.self], groups };
}

/** Where a message goes in this worker. */
function destination(context: BrokerContext, { destinations }: Member, body: FrameBody, named: boolean): Destination {
  const number = body.short();
  if (number >= MOST_NUMBERS) throw new RangeError('A forwarded message has a number that no route has.');
  if (named) {
    const realm = realmOf(context, body.text());
    const found: Destination = { realm, route: realm.router.route(body.text()) };
    if (number !== UNNUMBERED) putAt(destinations, number, found);
    return found;
  }
  const known = destinations[number];
  if (known === undefined) throw new RangeError('A forwarded message goes where nobody has said.');
  const { realm, route } = known;
  if (context.realms.get(realm.organisation) === realm) {
    if (route.version !== realm.router.version) realm.router.refresh(route);
    return known;
  }
  // The last of its organisation has gone from this worker, and perhaps another has come.
  const anew = realmOf(context, realm.organisation);
  const found: Destination = { realm: anew, route: anew.router.route(route.topic) };
  destinations[number] = found;
  return found;
}

/** One member of a group gets it: of this worker, or, if nobody here may have it any more, of another. */
function deliverShared(
  context: BrokerContext,
  team: Team,
  realm: Realm,
  passage: Passage,
  route: Route,
  group: { readonly share: string; readonly filter: string },
  tried: readonly number[],
): void {
  const { share, filter } = group;
  const here = route.groups.find((one) => isGroup(one, share, filter));
  if (here !== undefined && deliverToOne(context, passage, here)) return;
  const there = route.elsewhere?.groups.find((one) => one.share === share && one.filter === filter);
  const worker = there === undefined ? HANDED_OUT : handOut(context, team, passage, there, undefined, tried);
  if (worker !== HANDED_OUT) forward(team, realm, passage, worker, tried, [group], false);
}

/** Keeps a retained message of another worker, which has put it into the store itself. */
function retainForeign(
  context: BrokerContext,
  team: Team,
  realm: Realm,
  passage: Passage,
  stamp: number,
  isVolatile: boolean,
): void {
  const { topic } = passage.route;
  const isEmpty = passage.payloadStart === passage.payloadEnd;
  const judged = team.retained.judge(realm.organisation, topic, realm.retained.get(topic), stamp, isEmpty);
  if (judged === 'older') return;
  const message = { ...passage.own(), stamp, volatile: isVolatile };
  // The other worker's write may have come to the store before the one of this worker that it replaces.
  keepRetained(context, realm, message, isEmpty, judged === 'own' && !isVolatile);
}
