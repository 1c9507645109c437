import type { Peer } from '../bus/exchange.ts';
import type { Interest } from './abroad.ts';
import { type BrokerContext, realmOf } from './context.ts';
import { takeForward } from './inbound.ts';
import { keepRetained } from './keep-retained.ts';
import type { Message } from './message.ts';
import type { Realm } from './realm.ts';
import { OFFICE, type Team } from './team.ts';
import { FRAME, FrameBody, textSize, writeJson, writeText } from './team-frames.ts';
import type { Member } from './team-member.ts';
import type { Question, Word } from './team-words.ts';
import type { Outcome } from './tickets.ts';

/** Listens to the other workers, and tells those that come what this one has. */
export function serveTeam(context: BrokerContext, team: Team, desk: TeamDesk): void {
  const body = new FrameBody();
  const { durability } = context;
  team.links.exchange.listen({
    joined(peer) {
      forgetGhost(context, team, peer.number);
      const member = team.join(peer);
      desk.joined();
      for (const { router } of context.realms.values()) {
        for (const interest of router.abroad?.all() ?? []) team.announceTo(member, interest);
      }
      tellRetained(context, team, peer).catch((error: unknown) => {
        team.links.exchange.drop(peer.number, `It could not be told what is retained: ${String(error)}`);
      });
    },
    frame(peer, kind, bytes, start, end) {
      const member = team.members.get(peer.number);
      if (member === undefined) return;
      takeFrame(context, team, desk, member, kind, body.open(bytes, start, end));
    },
    pause(peer) {
      team.members.get(peer.number)?.advance(durability.store.committed, team.tickets);
      for (const member of team.owing) member.advance(durability.store.committed, team.tickets);
      team.owing.clear();
    },
    left(peer, why, dropped) {
      team.leave(peer.number);
      desk.lost(peer.number);
      // Between these two there is no way any more, and the other one may not know of it: the office makes an end of it.
      if (dropped && team.self !== OFFICE) team.say(OFFICE, { say: 'lost', worker: peer.number, why });
      team.links.lost?.(peer.number, why);
    },
  });
}

/** A dead worker's sessions are somewhere else now, or gone: nothing more is for it. */
export function forgetGhost(context: BrokerContext, team: Team, worker: number): void {
  if (!team.ghosts.delete(worker)) return;
  for (const realm of [...context.realms.values()]) {
    realm.router.abroad?.lost(worker);
    if (realm.empty) context.realms.delete(realm.organisation);
  }
}

/** What other workers ask and say. */
export interface TeamDesk {
  answer(member: Member, question: Question): unknown;
  hear(member: Member, word: Exclude<Word, { say: 'buried' }>): void;
  /** A message of a session that moves here. */
  moved(body: FrameBody): void;
  /** A worker has come. */
  joined(): void;
  /** A worker is gone. */
  lost(worker: number): void;
}

function hear(context: BrokerContext, team: Team, desk: TeamDesk, member: Member, word: Word): void {
  if (word.say === 'buried') {
    if (member.peer.number !== OFFICE) throw new RangeError('Only the office buries.');
    forgetGhost(context, team, word.worker);
  } else desk.hear(member, word);
}

/** Answers in the same order or later; what fails here is answered too, and the one who asks decides. */
function answerQuestion(desk: TeamDesk, member: Member, id: number, question: Question): void {
  const tell = (answer: unknown): void => writeJson(member.peer, FRAME.answer, id, answer);
  const fail = (error: unknown): void => tell({ failed: error instanceof Error ? error.message : String(error) });
  try {
    const answer = desk.answer(member, question);
    if (answer instanceof Promise) answer.then(tell, fail);
    else tell(answer);
  } catch (error) {
    // What nobody may ask ends the way to who has asked it.
    if (error instanceof RangeError) throw error;
    fail(error);
  }
}

function takeFrame(
  context: BrokerContext,
  team: Team,
  desk: TeamDesk,
  member: Member,
  kind: number,
  body: FrameBody,
): void {
  switch (kind) {
    case FRAME.forward:
    case FRAME.forwardAgain:
      takeForward(context, team, member, body, kind === FRAME.forward);
      return;
    case FRAME.interest:
      takeInterest(context, member, body);
      return;
    case FRAME.done:
      member.answered(body.number(), team.tickets);
      break;
    case FRAME.refused: {
      const frame = body.number();
      const outcome = body.byte();
      if (outcome !== 1 && outcome !== 2) throw new RangeError('A refusal has no such outcome.');
      member.refused(frame, outcome satisfies Outcome, team.tickets);
      break;
    }
    case FRAME.retained:
      takeRetained(context, team, body);
      return;
    case FRAME.waiting:
      desk.moved(body);
      return;
    case FRAME.question:
    case FRAME.answer:
    case FRAME.word: {
      const id = body.number();
      const content = body.json();
      if (kind === FRAME.answer) team.answered(member, id, content);
      else if (kind === FRAME.word) hear(context, team, desk, member, content as Word);
      else answerQuestion(desk, member, id, content as Question);
      return;
    }
    default:
      throw new RangeError(`There is no frame of kind ${kind}.`);
  }
  body.close();
}

function takeInterest(context: BrokerContext, member: Member, body: FrameBody): void {
  const members = body.word();
  const online = body.word();
  const keeps = body.byte() !== 0;
  const [organisation, filter, share] = [body.text(), body.text(), body.text()];
  const interest: Interest = { members, online, keeps, organisation, filter, share };
  body.close();
  member.heard();
  const realm = realmOf(context, interest.organisation);
  realm.router.abroad!.take(member.peer.number, interest);
  if (realm.empty) context.realms.delete(realm.organisation);
}

/** The office tells what is retained; what is published meanwhile is told as it comes. */
async function tellRetained(context: BrokerContext, team: Team, peer: Peer): Promise<void> {
  if (team.self === OFFICE) {
    const all: [Realm, Message][] = [];
    for (const realm of context.realms.values()) {
      for (const message of realm.retained.all()) all.push([realm, message]);
    }
    for (const [realm, message] of all) {
      if (peer.congested) await peer.relieved();
      if (realm.retained.get(message.topic) === message) writeRetained(peer, realm.organisation, message);
    }
  }
  const word: Word = { say: 'told', taken: context.durability.taken };
  writeJson(peer, FRAME.word, 0, word);
}

function writeRetained(peer: Peer, organisation: string, message: Message): void {
  const { topic, body, payloadStart, qos, expiresAt, stamp = 0 } = message;
  const at = peer.begin(FRAME.retained, 22 + textSize(organisation) + textSize(topic) + body.length);
  const { bytes } = peer;
  bytes[at] = qos;
  bytes[at + 1] = message.volatile ? 1 : 0;
  bytes.writeDoubleBE(expiresAt, at + 2);
  bytes.writeDoubleBE(stamp, at + 10);
  bytes.writeUInt32BE(payloadStart, at + 18);
  body.copy(bytes, writeText(bytes, writeText(bytes, at + 22, organisation), topic));
}

function takeRetained(context: BrokerContext, team: Team, body: FrameBody): void {
  const qos = body.byte();
  if (qos > 2) throw new RangeError('A retained message has no such QoS.');
  const isVolatile = body.byte() === 1;
  const expiresAt = body.number();
  const stamp = body.number();
  const payloadStart = body.word();
  const organisation = body.text();
  const topic = body.text();
  const content = Buffer.from(body.bytes.subarray(body.at, body.end));
  if (payloadStart > content.length) throw new RangeError('A retained message ends before its payload.');
  const realm = realmOf(context, organisation);
  if (team.retained.judge(organisation, topic, realm.retained.get(topic), stamp, false) === 'older') return;
  const message: Message = {
    topic,
    topicBytes: Buffer.from(topic),
    body: content,
    payloadStart,
    qos: qos as Message['qos'],
    retain: true,
    expiresAt,
    storeId: 0,
    references: 0,
    volatile: isVolatile,
    stamp,
  };
  keepRetained(context, realm, message, false, false);
}
