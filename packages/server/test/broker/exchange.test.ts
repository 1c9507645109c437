import { describe, expect, it } from 'vitest';
import type { Exchange } from '../../src/authentication/exchange.ts';
import type { Arrival, ArrivalVerdict } from '../../src/broker/arrival.ts';
import { type Client, Stage, settled } from './harness.ts';

const METHOD = 'RIDDLE';
const bytes = (text: string) => Buffer.from(text);
const text = (data: Uint8Array | undefined) => (data === undefined ? undefined : Buffer.from(data).toString());

/** Doors that ask riddles: `who` is the data of the client, each answer must be the riddle backwards. */
function riddles(count: number, stage: () => Stage, patience?: number) {
  return async (arrival: Arrival): Promise<ArrivalVerdict> => {
    const { exchange, clientId } = arrival.evidence;
    if (exchange === undefined) return stage().admit(arrival);
    if (exchange.method !== METHOD) return stage().refused('unsupported_authentication_method');
    for (let riddle = 1; riddle <= count; riddle++) {
      const answer = await exchange.ask(bytes(`riddle ${riddle}`), patience);
      if (text(answer?.data) !== `${riddle} elddir`) return stage().refused('wrong_secret');
    }
    exchange.conclude(bytes('well done'));
    const [organisation = '', id = ''] = (text(exchange.data) ?? '').split('/');
    const principal = { kind: 'application', organisation, id } as const;
    return { outcome: 'admitted', session: stage().admission(principal, clientId.text, false) };
  };
}

function stageWith(count: number, patience?: number): Stage {
  const stage: Stage = new Stage({ arrive: riddles(count, () => stage, patience) });
  return stage;
}

function knock(stage: Stage, data = 'demo/lab', more: object = {}): Client {
  const client = stage.dial();
  const properties = { authenticationMethod: METHOD, authenticationData: bytes(data), ...more };
  client.connect('c', { properties });
  return client;
}

function auth(client: Client, data: string, reasonCode = 0x18, method = METHOD): void {
  client.send({
    type: 'auth',
    reasonCode,
    properties: { authenticationMethod: method, authenticationData: bytes(data) },
  });
}

async function enter(stage: Stage): Promise<Client> {
  const client = knock(stage);
  await settled();
  client.packets = client.packets.filter(({ type }) => type !== 'connack');
  return client;
}

describe('an exchange before CONNACK', () => {
  it('asks with AUTH 0x18, takes each answer, and names its method in CONNACK', async () => {
    const stage = stageWith(2);
    const client = knock(stage);
    await settled();
    const first = client.expect('auth');
    expect([first.reasonCode, first.properties?.authenticationMethod]).toEqual([0x18, METHOD]);
    expect(text(first.properties?.authenticationData)).toBe('riddle 1');
    auth(client, '1 elddir');
    await settled();
    expect(text(client.expect('auth').properties?.authenticationData)).toBe('riddle 2');
    auth(client, '2 elddir');
    await settled();
    const welcome = client.expect('connack');
    expect(welcome.reasonCode).toBe(0);
    expect(welcome.properties?.authenticationMethod).toBe(METHOD);
    expect(text(welcome.properties?.authenticationData)).toBe('well done');
    expect(await client.subscribed('a')).toBe(0);
  });

  it('takes an answer that came before it was asked for', async () => {
    const client = knock(stageWith(1));
    auth(client, '1 elddir');
    await settled();
    expect(client.packets.map(({ type }) => type)).toEqual(['auth', 'connack']);
  });

  it('refuses a wrong answer with the code of the doors', async () => {
    const client = knock(stageWith(1));
    await settled();
    auth(client, 'no idea');
    await settled();
    client.expect('auth');
    expect(client.expect('connack').reasonCode).toBe(0x87);
    expect(client.ended).toBe(true);
  });

  it('of a method that the doors do not offer is refused with bad authentication method', async () => {
    const stage = stageWith(1);
    const client = stage.dial();
    client.connect('c', { properties: { authenticationMethod: 'OTHER' } });
    await settled();
    expect(client.expect('connack').reasonCode).toBe(0x8c);
    expect(client.ended).toBe(true);
  });

  it.each([
    ['another method', (client: Client) => auth(client, '1 elddir', 0x18, 'OTHER')],
    ['another reason code', (client: Client) => auth(client, '1 elddir', 0x19)],
    ['SUBSCRIBE', (client: Client) => client.subscribe('a')],
    ['PUBLISH', (client: Client) => client.publish('a', 'b')],
    ['a second CONNECT', (client: Client) => client.connect('c')],
  ])('ends without CONNACK when %s comes instead of the answer', async (_, send) => {
    const stage = stageWith(1);
    const client = knock(stage);
    await settled();
    send(client);
    await settled();
    expect(client.packets.map(({ type }) => type)).toEqual(['auth']);
    expect(client.ended).toBe(true);
    expect(stage.refusals[0]?.reason).toBe('protocol_error');
    expect(stage.broker.countSessions()).toBe(0);
  });

  it('may be broken off by the client, by DISCONNECT or by vanishing', async () => {
    for (const leave of [
      (c: Client) => c.send({ type: 'disconnect', reasonCode: 0 }),
      (c: Client) => void c.vanish(),
    ]) {
      const stage = stageWith(1);
      const client = knock(stage);
      await settled();
      leave(client);
      await settled();
      expect(client.ended).toBe(true);
      // The doors are told, and refuse: they do not wait for ever.
      expect(stage.refusals.map(({ reason }) => reason)).toEqual(['wrong_secret']);
      expect(stage.counters.connectionsNow).toBe(0);
    }
  });

  it('has the time of connecting, or that of its method', async () => {
    const hasty = stageWith(1);
    const first = knock(hasty);
    await settled();
    await hasty.pass(11);
    expect(first.ended).toBe(true);

    const patient = stageWith(1, 60_000);
    const second = knock(patient);
    await settled();
    await patient.pass(50);
    auth(second, '1 elddir');
    await settled();
    second.expect('auth');
    expect(second.expect('connack').reasonCode).toBe(0);
  });

  it('sends no AUTH that is larger than the client takes', async () => {
    const stage = stageWith(1);
    const client = knock(stage, 'demo/lab', { maximumPacketSize: 20 });
    await settled();
    expect(client.packets.map(({ type }) => type)).toEqual(['connack']);
    expect(client.expect('connack').reasonCode).toBe(0x87);
  });
});

describe('authentication within a session', () => {
  it('puts the session on new grounds while everything goes on', async () => {
    const stage = stageWith(0);
    const client = await enter(stage);
    auth(client, 'demo/lab', 0x19);
    await settled();
    const answer = client.expect('auth');
    expect([answer.reasonCode, answer.properties?.authenticationMethod]).toEqual([0, METHOD]);
    expect(text(answer.properties?.authenticationData)).toBe('well done');
    expect(stage.of('session.renewed')).toMatchObject([{ principal: 'application:demo/lab', clientId: 'c' }]);
    expect(await client.subscribed('a')).toBe(0);
  });

  it('drops what the new grounds do not cover', async () => {
    const stage = stageWith(0);
    const client = await enter(stage);
    await client.subscribed('a');
    await client.subscribed('b');
    stage.permitted.set('demo', { publish: ['#'], subscribe: ['b'], receive: ['#'] });
    auth(client, 'demo/lab', 0x19);
    await settled();
    client.expect('auth');
    client.publish('a', '1');
    client.publish('b', '2');
    await settled();
    expect(client.messages()).toEqual(['b 2']);
  });

  it('may be a conversation, during which messages flow', async () => {
    let count = 0;
    const stage: Stage = new Stage({ arrive: (arrival) => riddles(count, () => stage)(arrival) });
    const client = await enter(stage);
    await client.subscribed('a');
    count = 1;
    auth(client, 'demo/lab', 0x19);
    await settled();
    expect(client.expect('auth').reasonCode).toBe(0x18);
    client.publish('a', 'meanwhile');
    await settled();
    expect(client.messages()).toEqual(['a meanwhile']);
    auth(client, '1 elddir');
    await settled();
    expect(client.expect('auth').reasonCode).toBe(0);
  });

  it.each([
    ['a wrong answer', (client: Client) => auth(client, 'wrong'), 0x87],
    ['another method', (client: Client) => auth(client, '1 elddir', 0x18, 'OTHER'), 0x82],
    ['a second beginning', (client: Client) => auth(client, 'demo/lab', 0x19), 0x82],
  ] as const)('ends the session for %s', async (_, send, code) => {
    let count = 0;
    const stage: Stage = new Stage({ arrive: (arrival) => riddles(count, () => stage)(arrival) });
    const client = await enter(stage);
    count = 1;
    auth(client, 'demo/lab', 0x19);
    await settled();
    client.expect('auth');
    send(client);
    await settled();
    expect(client.expect('disconnect').reasonCode).toBe(code);
    expect(client.ended).toBe(true);
  });

  it('ends the session of a client that proves to be somebody else', async () => {
    const stage = stageWith(0);
    const client = await enter(stage);
    auth(client, 'demo/other', 0x19);
    await settled();
    expect(client.expect('disconnect').reasonCode).toBe(0x87);
    expect(stage.refusals.at(-1)).toMatchObject({ reason: 'renewal_refused', action: 'session' });
    expect(stage.of('session.renewed')).toEqual([]);
  });

  it('must come to an end in time', async () => {
    let count = 0;
    const stage: Stage = new Stage({ arrive: (arrival) => riddles(count, () => stage)(arrival) });
    const client = await enter(stage);
    count = 1;
    auth(client, 'demo/lab', 0x19);
    await settled();
    client.expect('auth');
    await stage.pass(12);
    expect(client.expect('disconnect').reasonCode).toBe(0x87);
    expect(stage.refusals.at(-1)?.reason).toBe('wrong_secret');
    expect(stage.refusals.map(({ reason }) => reason)).toContain('exchange_broken_off');
  });

  it('neither raises a session that owes a code, nor takes back what a code has raised', async () => {
    const stage: Stage = new Stage({
      arrive: async (arrival) => {
        const verdict = await riddles(0, () => stage)(arrival);
        if (verdict.outcome === 'refused') return verdict;
        const { rights } = verdict.session;
        const pending = { ...rights, permits: () => false };
        return {
          outcome: 'admitted',
          session: { ...verdict.session, assurance: 'pending', rights: pending, raised: rights },
        };
      },
    });
    const client = await enter(stage);
    auth(client, 'demo/lab', 0x19);
    await settled();
    client.expect('auth');
    expect(await client.subscribed('a')).toBe(0x87);
    const [opened] = stage.of('session.opened');
    const presence = opened?.presence ?? 0;
    expect(stage.broker.raise({ organisation: 'demo', clientId: 'c', presence })).toBe(true);
    auth(client, 'demo/lab', 0x19);
    await settled();
    client.expect('auth');
    expect(await client.subscribed('a')).toBe(0);
  });

  it.each([
    ['another method than CONNECT', 0x19, 'OTHER'],
    ['an answer to nothing', 0x18, METHOD],
  ])('is a protocol error with %s', async (_, reasonCode, method) => {
    const client = await enter(stageWith(0));
    auth(client, 'demo/lab', reasonCode, method);
    await settled();
    expect(client.expect('disconnect').reasonCode).toBe(0x82);
  });

  it('is a protocol error where CONNECT named no method', async () => {
    const stage = stageWith(0);
    const client = await stage.connect('c');
    expect(client.welcome.properties).not.toHaveProperty('authenticationMethod');
    auth(client, 'demo/lab', 0x19);
    await settled();
    expect(client.expect('disconnect').reasonCode).toBe(0x82);
  });

  it('costs of the allowance of its client, so that nobody buys signatures with it', async () => {
    const stage: Stage = new Stage({ arrive: riddles(0, () => stage), limits: { messageRate: 10 } });
    const client = await enter(stage);
    for (let time = 0; time < 5; time++) {
      auth(client, 'demo/lab', 0x19);
      await settled();
    }
    expect(stage.of('session.slowed')).toHaveLength(1);
  });

  it('keeps a session that went away during it out of the new grounds', async () => {
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let renewals = 0;
    const stage: Stage = new Stage({
      arrive: async (arrival) => {
        const exchange = arrival.evidence.exchange as Exchange;
        if (exchange.renewal) {
          renewals++;
          await held;
        }
        return riddles(0, () => stage)(arrival);
      },
    });
    const client = await enter(stage);
    auth(client, 'demo/lab', 0x19);
    await settled();
    await client.vanish();
    release();
    await settled();
    expect(renewals).toBe(1);
    expect(stage.of('session.renewed')).toEqual([]);
  });
});
