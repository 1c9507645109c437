import { describe, expect, it } from 'vitest';
import { FRAME, writeJson } from '../../packages/server/src/broker/team-frames.ts';
import type { Question, Word } from '../../packages/server/src/broker/team-words.ts';
import type { Peer } from '../../packages/server/src/bus/exchange.ts';
import { InProcessExchange } from '../../packages/server/src/bus/in-process-exchange.ts';
import { Crew, until } from '../../packages/server/test/broker/crew.ts';
import { settled } from '../../packages/server/test/broker/harness.ts';

/** A worker of the server that does what an attacker wants. */
async function taken(crew: Crew) {
  const exchange = new InProcessExchange(7);
  const peers = new Map<number, Peer>();
  const answers: unknown[] = [];
  exchange.listen({
    joined: (peer) => peers.set(peer.number, peer),
    frame(_, kind, bytes, start, end) {
      if (kind === FRAME.answer) answers.push(JSON.parse(bytes.toString('utf8', start + 8, end)));
    },
    pause() {},
    left: ({ number }) => peers.delete(number),
  });
  for (const other of crew.exchanges) exchange.connect(other);
  await settled();
  return {
    peers,
    answers,
    say: (to: number, word: Word) => writeJson(peers.get(to)!, FRAME.word, 0, word),
    ask: (to: number, question: Question) => writeJson(peers.get(to)!, FRAME.question, 1, question),
  };
}

const AT = { organisation: 'demo', clientId: 'client', presence: 65 };

describe('a worker that was taken over', () => {
  it.each<Question>([
    { do: 'close', match: { organisation: 'demo' }, reasonCode: 0x98, text: 'go' },
    { do: 'list', organisation: 'demo' },
    { do: 'raise', at: AT },
    { do: 'reconsider', match: {} },
  ])('may not ask another for what only the office asks: $do', async (question) => {
    const crew = await Crew.of(2);
    const client = await crew.connect(1, 'client');
    const attacker = await taken(crew);
    attacker.ask(1, question);
    await until(() => !attacker.peers.has(1));
    expect(attacker.answers).toEqual([]);
    expect(client.ended).toBe(false);
    expect(crew.lost).toContain(
      `1 lost 7: What it sent could not be read: It asks or says "${question.do}", which only the office does.`,
    );
  });

  it.each<Word>([
    { say: 'rates', principal: 'app:demo:lab', messageRate: 0 },
    { say: 'shares', principals: { 'app:demo:lab': 0 }, organisations: {} },
    { say: 'tell', at: AT, message: { topic: 'a', payload: 'x' } },
    { say: 'buried', worker: 0 },
    { say: 'told', taken: { sessions: 2 ** 53, messages: 0, positions: 0 } },
  ])('may not say to another what only the office says: $say', async (word) => {
    const crew = await Crew.of(2);
    const client = await crew.connect(1, 'client');
    const attacker = await taken(crew);
    attacker.say(1, word);
    await until(() => !attacker.peers.has(1));
    client.publish('a', 'x', { qos: 1 });
    await until(() => client.packets.length === 1);
    expect(client.expect('puback').reasonCode).toBe(0x10);
  });

  it('writes in the book for itself only', async () => {
    const crew = await Crew.of(2);
    await crew.connect(1, 'client');
    const attacker = await taken(crew);
    attacker.say(0, { say: 'gone', organisation: 'demo', clientId: 'client' });
    attacker.say(0, { say: 'away', organisation: 'demo', clientId: 'client' });
    // Claims are numbered: it settles some that are not its own.
    for (let id = 1; id < 10; id++) attacker.ask(0, { do: 'settle', id, opened: true });
    await until(() => attacker.answers.length === 9);
    expect(new Set(attacker.answers)).toEqual(new Set([false]));
    // The book has not changed: whoever comes with the client id finds the one who has it.
    const stranger = crew.stages[0]!.dial();
    stranger.connect('client', { username: 'demo/other' });
    await until(() => stranger.packets.length === 1);
    expect(stranger.expect('connack').reasonCode).toBe(0x85);
  });

  it('gets no client id that belongs to somebody else by claiming it in another name', async () => {
    const crew = await Crew.of(2);
    const client = await crew.connect(1, 'client');
    const attacker = await taken(crew);
    const limits = {
      connectRate: 1000,
      takeoverRate: 1000,
      connectDeadline: 1000,
      principalSessions: 1000,
      sessions: 1000,
      organisationConnections: 1000,
      scalableInstances: 1000,
    };
    const request = { organisation: 'demo', clientId: 'client', principal: 'app:demo:other', hasTurn: false, limits };
    attacker.ask(0, { do: 'claim', request });
    await until(() => attacker.answers.length === 1);
    expect(attacker.answers[0]).toMatchObject({ refused: { reason: 'client_id_not_permitted' } });
    expect(client.ended).toBe(false);
  });
});
