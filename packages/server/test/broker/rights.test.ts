import { describe, expect, it } from 'vitest';
import { type Permitted, Stage, settled } from './harness.ts';

const KEPT = { cleanStart: false, properties: { sessionExpiryInterval: 600 } };

function allow(stage: Stage, permitted: Partial<Permitted>): void {
  stage.permitted.set('demo', { publish: ['#'], subscribe: ['#'], receive: ['#'], ...permitted });
  stage.rightsVersion++;
}

describe('rights that change', () => {
  it('stop a publisher at the next message', async () => {
    const stage = new Stage();
    const client = await stage.connect('one');
    client.publish('a', '', { qos: 1 });
    await settled();
    expect(client.expect('puback').reasonCode).toBe(0x10);
    allow(stage, { publish: [] });
    client.publish('a', '', { qos: 1 });
    await settled();
    expect(client.expect('puback').reasonCode).toBe(0x87);
    allow(stage, {});
    client.publish('a', '', { qos: 1 });
    await settled();
    expect(client.expect('puback').reasonCode).toBe(0x10);
  });

  it('bite on subscriptions that exist already, and tell it once', async () => {
    const stage = new Stage();
    const receiver = await stage.connect('receiver');
    await receiver.subscribed('#');
    const sender = await stage.connect('sender');
    allow(stage, { receive: ['open/#'] });
    for (let round = 0; round < 5; round++) sender.publish('closed', 'x');
    sender.publish('open/a', 'x');
    await settled();
    expect(receiver.messages()).toEqual(['open/a x']);
    expect(stage.counters.deliveriesDenied).toBe(5);
    expect(stage.of('delivery.denied')).toHaveLength(1);
  });

  it('keep back what has waited', async () => {
    const stage = new Stage();
    const receiver = await stage.connect('receiver', KEPT);
    await receiver.subscribed('#', { qos: 1 });
    await receiver.vanish();
    const sender = await stage.connect('sender');
    sender.publish('closed', 'x', { qos: 1, packetId: 1 });
    sender.publish('open', 'y', { qos: 1, packetId: 2 });
    await settled();
    allow(stage, { receive: ['open'] });
    const again = await stage.connect('receiver', KEPT);
    expect(again.messages()).toEqual(['open y']);
  });

  it('hold for topic aliases and receivers as soon as they are reconsidered, whatever their version says', async () => {
    const stage = new Stage();
    const receiver = await stage.connect('receiver');
    await receiver.subscribed('#');
    const client = await stage.connect('one');
    const properties = { topicAlias: 1 };
    client.publish('a', 'before', { properties });
    await settled();
    const version = stage.rightsVersion;
    allow(stage, { receive: ['b'] });
    stage.rightsVersion = version;
    await stage.broker.reconsider({ organisation: 'demo' });
    client.publish('', 'kept back', { properties });
    await settled();
    expect(receiver.messages()).toEqual(['a before']);
    allow(stage, { publish: ['b'] });
    stage.rightsVersion = version;
    await stage.broker.reconsider({ organisation: 'demo' });
    client.publish('', 'refused', { qos: 1, properties });
    await settled();
    expect(client.expect('puback').reasonCode).toBe(0x87);
  });

  it('end subscriptions that are not covered any more when they are reconsidered', async () => {
    const stage = new Stage();
    const client = await stage.connect('one');
    await client.subscribed('mine/a');
    await client.subscribed('#');
    allow(stage, { subscribe: ['mine/#'] });
    await stage.broker.reconsider({ organisation: 'demo' });
    expect(stage.broker.findSession('demo', 'one')?.subscriptions).toMatchObject([{ filter: 'mine/a' }]);
    expect(stage.of('subscription.denied')).toHaveLength(1);
    expect(client.ended).toBe(false);
  });

  it('end subscriptions that are not covered any more when a session is resumed', async () => {
    const stage = new Stage();
    const client = await stage.connect('one', KEPT);
    await client.subscribed('#');
    await client.vanish();
    allow(stage, { subscribe: [] });
    expect((await stage.connect('one', KEPT)).welcome.sessionPresent).toBe(true);
    expect(stage.broker.findSession('demo', 'one')?.subscriptions).toEqual([]);
  });
});

describe('grounds that have gone', () => {
  const WILL = { topic: 'gone', payload: Buffer.from('x'), qos: 0, retain: false } as const;

  it.each([4, 5] as const)('close the sessions that stood on them, without a will, at level %i', async (version) => {
    const stage = new Stage();
    const revoked = await stage.connect('revoked', {
      protocolVersion: version,
      username: 'demo/bad',
      will: WILL,
      cleanStart: false,
      ...(version === 5 ? { properties: { sessionExpiryInterval: 600 } } : {}),
    });
    const other = await stage.connect('other');
    await other.subscribed('#');
    stage.standing = (principal) =>
      principal.kind !== 'operator' && principal.id === 'bad'
        ? { ended: 'credential_revoked', text: 'The token was revoked.' }
        : 'stands';
    await stage.broker.reconsider({ organisation: 'demo' });
    await settled();
    expect([revoked.ended, other.ended]).toEqual([true, false]);
    if (version === 5) {
      expect(revoked.expect('disconnect')).toMatchObject({
        reasonCode: 0x87,
        properties: { reasonString: 'ticket T00000' },
      });
    }
    expect(other.messages()).toEqual([]);
    expect(stage.broker.findSession('demo', 'revoked')).toBeUndefined();
  });

  it('end the sessions of absent clients too', async () => {
    const stage = new Stage();
    await (await stage.connect('one', KEPT)).vanish();
    stage.standing = () => ({ ended: 'principal_suspended', text: 'Suspended.' });
    await stage.broker.reconsider({ principal: 'application:demo/lab' });
    expect(stage.broker.findSession('demo', 'one')).toBeUndefined();
  });

  it('are taken for gone when they cannot be judged', async () => {
    const stage = new Stage();
    const client = await stage.connect('one');
    stage.standing = () => Promise.reject(new Error('store is down'));
    await stage.broker.reconsider({ credential: 'credential of lab' });
    await settled();
    expect(client.ended).toBe(true);
  });

  it('do not touch sessions that are not meant', async () => {
    const stage = new Stage();
    const client = await stage.connect('one');
    stage.standing = () => ({ ended: 'principal_suspended', text: 'Suspended.' });
    await stage.broker.reconsider({ organisation: 'other' });
    await stage.broker.reconsider({ organisation: 'demo', principal: 'application:demo/other' });
    await settled();
    expect(client.ended).toBe(false);
  });

  it('do not end a session that has come back on better ones meanwhile', async () => {
    const stage = new Stage();
    await stage.connect('one', KEPT);
    let answer = (_: { ended: 'credential_revoked'; text: string }): void => {};
    stage.standing = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    const reconsidered = stage.broker.reconsider({ clientId: 'one' });
    const again = await stage.connect('one', KEPT);
    answer({ ended: 'credential_revoked', text: '' });
    await reconsidered;
    await settled();
    expect(again.ended).toBe(false);
  });
});

describe('a credential that expires', () => {
  function expiring(stage: Stage, seconds: number): void {
    const admit = stage.admit.bind(stage);
    const expiresAt = stage.time + seconds * 1000;
    stage.admit = (arrival) => {
      const verdict = admit(arrival);
      if (verdict.outcome === 'refused') return verdict;
      const { session } = verdict;
      return { outcome: 'admitted', session: { ...session, grounds: { ...session.grounds, expiresAt } } };
    };
    stage.standing = () =>
      stage.time < expiresAt ? 'stands' : { ended: 'credential_expired', text: 'The token has expired.' };
  }

  it.each([4, 5] as const)('takes its sessions with it within a second, at level %i', async (protocolVersion) => {
    const stage = new Stage();
    const lasting = await stage.connect('lasting');
    expiring(stage, 200);
    const will = { topic: 'gone', payload: Buffer.from('x'), qos: 0, retain: false } as const;
    const client = await stage.connect('one', { protocolVersion, will });
    await lasting.subscribed('#');
    await stage.pass(199);
    expect(client.ended).toBe(false);
    await stage.pass(2);
    expect([client.ended, lasting.ended]).toEqual([true, false]);
    if (protocolVersion === 5) expect(client.expect('disconnect').reasonCode).toBe(0x87);
    expect(lasting.messages()).toEqual([]);
    expect(stage.broker.findSession('demo', 'one')).toBeUndefined();
  });

  it('takes the session of an absent client with it', async () => {
    const stage = new Stage();
    expiring(stage, 30);
    await (await stage.connect('one', KEPT)).vanish();
    await stage.pass(29);
    expect(stage.broker.findSession('demo', 'one')).toBeDefined();
    await stage.pass(2);
    expect(stage.broker.findSession('demo', 'one')).toBeUndefined();
  });

  it('is forgotten when the client comes back with a better one', async () => {
    const stage = new Stage();
    const { admit } = stage;
    expiring(stage, 30);
    await stage.connect('one', KEPT);
    stage.admit = admit;
    const again = await stage.connect('one', KEPT);
    await stage.pass(120);
    expect(again.ended).toBe(false);
  });

  it('is noticed within a minute after the clock has jumped', async () => {
    const stage = new Stage();
    expiring(stage, 7200);
    const client = await stage.connect('one');
    stage.time += 7_200_000;
    await stage.pass(61);
    expect(client.ended).toBe(true);
  });
});

describe('rights that end while a client arrives', () => {
  it('end its session although there was none yet that could be told', async () => {
    let open = (): void => {};
    const stage: Stage = new Stage({
      arrive: (arrival) =>
        new Promise((resolve) => {
          open = () => resolve(stage.admit(arrival));
        }),
    });
    const client = stage.dial();
    client.connect('one');
    stage.standing = () => ({ ended: 'credential_revoked', text: 'The token was revoked.' });
    await stage.broker.reconsider({ principal: 'application:demo/lab' });
    open();
    await settled();
    expect(client.ended).toBe(true);
  });
});

describe('what is meant by a match', () => {
  it('is found by principal, by type, by client id, and nothing else is', async () => {
    const stage = new Stage();
    const ids = ['d:demo:pump:1', 'd:demo:pump:2', 'd:demo:fan:1', 'g:demo:pump:1', 'd:other:pump:1'];
    const clients = new Map<string, Awaited<ReturnType<Stage['connect']>>>();
    for (const id of ids) clients.set(id, await stage.connect(id));
    const judged: string[] = [];
    stage.standing = (principal) => {
      judged.push(JSON.stringify(principal));
      return 'stands';
    };
    const count = async (match: Parameters<Stage['broker']['reconsider']>[0]) => {
      judged.length = 0;
      await stage.broker.reconsider(match);
      return judged.length;
    };
    expect(await count({ principal: 'device:demo/pump/1' })).toBe(1);
    expect(await count({ principal: 'device:demo/pump/1', organisation: 'other' })).toBe(0);
    expect(await count({ organisation: 'demo', deviceType: 'pump' })).toBe(3);
    expect(await count({ organisation: 'demo', clientId: 'd:demo:fan:1' })).toBe(1);
    expect(await count({ organisation: 'demo' })).toBe(4);
    await clients.get('d:demo:pump:1')?.vanish();
    expect(await count({ principal: 'device:demo/pump/1' })).toBe(0);
  });
});

describe('closing sessions by hand', () => {
  it('disconnects with the given code and forgets what was kept', async () => {
    const stage = new Stage();
    const client = await stage.connect('one', KEPT);
    expect(stage.broker.closeSessions({ organisation: 'demo', clientId: 'one' }, 0x98, 'closed by ann')).toBe(1);
    await settled();
    expect(client.expect('disconnect').reasonCode).toBe(0x98);
    expect(stage.broker.findSession('demo', 'one')).toBeUndefined();
    expect(stage.of('session.closed')).toMatchObject([{ closeCode: 94, reason: 'closed by ann' }]);
    expect(stage.broker.closeSessions({ clientId: 'one' }, 0x98, '')).toBe(0);
  });

  it('closes even with a code that DISCONNECT does not have', async () => {
    const stage = new Stage();
    const client = await stage.connect('one');
    stage.broker.closeSessions({ clientId: 'one' }, 0x01, '');
    await settled();
    expect(client.expect('disconnect').reasonCode).toBe(0x80);
    expect(client.ended).toBe(true);
  });
});
