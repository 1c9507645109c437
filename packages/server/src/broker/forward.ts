import { copyBytes } from '@sallyport/mqtt';
import { writeWord } from '../bus/words.ts';
import type { BrokerContext } from './context.ts';
import { deliverToAll, deliverToOne } from './delivery.ts';
import type { Passage } from './passage.ts';
import type { Realm } from './realm.ts';
import type { GroupTargets, Route, SharedElsewhere } from './route.ts';
import { putAt, UNNUMBERED } from './route-numbers.ts';
import type { Team } from './team.ts';
import { FRAME, textSize, writeText } from './team-frames.ts';

/**
 * Bits of a forwarded message, beside its QoS. `shared`: it names groups, and workers that have had it already. `owed`: whoever sent it waits
 * until it is stored.
 */
export const FORWARD = { retain: 4, volatile: 8, toAll: 16, expires: 32, shared: 64, owed: 128 } as const;

const NOBODY: readonly number[] = [];
/** No other worker is to have it. */
export const HANDED_OUT = -1;

/** Hands the message in passage to everybody in this worker, and to each worker in which somebody wants it. False if nobody does. */
export function dispatchEverywhere(context: BrokerContext, team: Team, realm: Realm, passage: Passage): boolean {
  team.begin();
  const { route } = passage;
  const { elsewhere, groups } = route;
  deliverToAll(context, passage);
  team.stash.note(team, team.self, team.message);
  if (elsewhere === undefined) {
    for (const group of groups) deliverToOne(context, passage, group);
    team.stash.note(team, team.self, Number.POSITIVE_INFINITY);
    if (passage.retain)
      for (const number of team.members.keys()) forward(team, realm, passage, number, NOBODY, [], true);
    return route.targets.length > 0 || groups.length > 0;
  }
  const chosen = elsewhere.groups.length === 0 ? undefined : chooseMembers(context, team, passage, route);
  if (chosen === undefined) for (const group of groups) deliverToOne(context, passage, group);
  team.stash.note(team, team.self, Number.POSITIVE_INFINITY);
  if (passage.retain) {
    for (const number of team.members.keys())
      forward(team, realm, passage, number, NOBODY, chosen?.get(number) ?? [], true);
    return true;
  }
  for (const number of elsewhere.workers)
    forward(team, realm, passage, number, NOBODY, chosen?.get(number) ?? [], true);
  for (const [number, shared] of chosen ?? []) {
    if (!elsewhere.workers.includes(number)) forward(team, realm, passage, number, NOBODY, shared, true);
  }
  return true;
}

/** Hands the message to one member of each group; answers the groups whose turn is in another worker. */
function chooseMembers(
  context: BrokerContext,
  team: Team,
  passage: Passage,
  { groups, elsewhere }: Route,
): Map<number, SharedElsewhere[]> {
  const chosen = new Map<number, SharedElsewhere[]>();
  const shared = elsewhere!.groups;
  for (const group of groups) if (!shared.some(({ here }) => here === group)) deliverToOne(context, passage, group);
  for (const one of shared) {
    const worker = handOut(context, team, passage, one, one.here, NOBODY);
    if (worker === HANDED_OUT) continue;
    const others = chosen.get(worker);
    if (others === undefined) chosen.set(worker, [one]);
    else others.push(one);
  }
  return chosen;
}

/**
 * Gives a message to the member of a group whose turn it is, of all that are not in a worker that was `tried`. Answers the worker that
 * is to have it, or that it was handed out. If only members of a dead worker are left, whoever sent it is told. Workers take turns by the number of their members, of those whose
 * clients are here if there are any.
 */
export function handOut(
  context: BrokerContext,
  team: Team,
  passage: Passage,
  { seats, turn }: Pick<SharedElsewhere, 'seats' | 'turn'>,
  here: GroupTargets | undefined,
  tried: readonly number[],
): number {
  let mine = tried.includes(team.self) ? undefined : here;
  const passed = (worker: number): boolean => tried.includes(worker) || team.ghosts.has(worker);
  for (const count of ['online', 'members'] as const) {
    for (;;) {
      const own = mine === undefined ? 0 : ownSeats(mine, count);
      let total = own;
      for (const [worker, seat] of seats) if (!passed(worker)) total += seat[count];
      if (total === 0) break;
      let at = turn.now++ % total;
      if (at < own) {
        if (deliverToOne(context, passage, mine!)) return HANDED_OUT;
        mine = undefined;
        continue;
      }
      at -= own;
      for (const [worker, seat] of seats) {
        if (passed(worker)) continue;
        if (at < seat[count]) return worker;
        at -= seat[count];
      }
    }
  }
  if (passage.qos > 0 && [...seats.keys()].some((worker) => team.ghosts.has(worker))) team.lose();
  return HANDED_OUT;
}

function ownSeats({ targets }: GroupTargets, count: 'online' | 'members'): number {
  if (count === 'members') return targets.length;
  let online = 0;
  for (const { receiver } of targets) if (receiver.link !== undefined) online++;
  return online;
}

/**
 * Copies the message in passage into what goes to another worker. `tried`: workers that have had it already for the groups; `toAll`: it is
 * for those who do not share it, too. A QoS 1 or 2 message that may have to be stored there is added to the ticket of the message.
 */
export function forward(
  team: Team,
  { router }: Realm,
  passage: Passage,
  worker: number,
  tried: readonly number[],
  groups: readonly Pick<SharedElsewhere, 'share' | 'filter'>[],
  toAll: boolean,
): void {
  const member = team.members.get(worker);
  const { qos, retain, forwarded, payload, payloadStart, payloadEnd, route, expiresAt } = passage;
  const shared = groups.length > 0;
  // Where only sessions of the moment listen, nothing has to be stored: they end with their worker.
  const owed = qos > 0 && (retain || shared || route.elsewhere?.keepers.includes(worker) === true);
  if (member === undefined) {
    if (owed && team.ghosts.has(worker)) team.lose();
    return;
  }
  const { peer } = member;
  const number = team.routes.of(route);
  const known = number !== UNNUMBERED && member.knows[number] === route;
  const organisation = router.abroad!.name;
  const topic = route.topicBytes;
  let size = 1 + 8 + 2 + 4 + forwarded.length;
  if (!known) size += 2 + organisation.length + 2 + topic.length;
  if (retain) size += 8;
  if (expiresAt > 0) size += 8;
  if (shared) {
    size += 2 + tried.length;
    for (const { share, filter } of groups) size += textSize(share) + textSize(filter);
  }
  let at = peer.begin(known ? FRAME.forwardAgain : FRAME.forward, size + payloadEnd - payloadStart);
  const { bytes } = peer;
  bytes[at] =
    qos |
    (retain ? FORWARD.retain : 0) |
    (passage.volatile ? FORWARD.volatile : 0) |
    (toAll ? FORWARD.toAll : 0) |
    (expiresAt > 0 ? FORWARD.expires : 0) |
    (shared ? FORWARD.shared : 0) |
    (owed ? FORWARD.owed : 0);
  at = writeWords(bytes, at + 1, team.message);
  if (expiresAt > 0) at = writeWords(bytes, at, expiresAt);
  if (retain) at = writeWords(bytes, at, passage.own().stamp ?? 0);
  if (shared) {
    bytes[at++] = tried.length;
    for (const one of tried) bytes[at++] = one;
    bytes[at++] = groups.length;
    for (const { share, filter } of groups) at = writeText(bytes, writeText(bytes, at, share), filter);
  }
  bytes[at++] = number >>> 8;
  bytes[at++] = number;
  if (!known) {
    at = writeBytes(bytes, writeBytes(bytes, at, organisation), topic);
    if (number !== UNNUMBERED) putAt(member.knows, number, route);
  }
  writeWord(bytes, at, forwarded.length);
  at += 4;
  if (forwarded.length > 0) copyBytes(bytes, at, forwarded, 0, forwarded.length);
  at += forwarded.length;
  copyBytes(bytes, at, payload, payloadStart, payloadEnd);
  if (peer.congested) {
    team.slow ??= [];
    team.slow.push(peer);
  }
  if (owed) member.sent(team.need(), team.tickets);
}

/** A whole number in two words: cheaper than in one. */
function writeWords(bytes: Buffer, at: number, number: number): number {
  writeWord(bytes, at, Math.floor(number / 0x1_0000_0000));
  writeWord(bytes, at + 4, number >>> 0);
  return at + 8;
}

function writeBytes(bytes: Buffer, at: number, source: Buffer): number {
  bytes.writeUInt16BE(source.length, at);
  copyBytes(bytes, at + 2, source, 0, source.length);
  return at + 2 + source.length;
}
