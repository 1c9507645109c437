import { describe, expect, it } from 'vitest';
import { Incidents, type IncidentsOptions } from '../../src/incidents/incidents.ts';
import { RULES, Suspicions } from '../../src/incidents/suspicions.ts';
import { incidentRecords } from '../../src/registry/incident-records.ts';
import { openedRegistry } from '../registry/opened-registry.ts';

const LIMITS = Object.fromEntries(Object.keys(RULES).map((rule) => [rule, 'suspend'])) as IncidentsOptions['limits'];
const PUMP = 'device:demo/pump/pump-7';

async function opened(more: Partial<IncidentsOptions> = {}) {
  const { database } = await openedRegistry();
  const done: string[] = [];
  const state = { now: 1_000_000, ids: 0 };
  const options: IncidentsOptions = {
    store: incidentRecords(database),
    containment: {
      hold: async (principal, level) => void done.push(`${principal} ${level ?? 'free'}`),
      suspend: async (principal) => void done.push(`suspend ${principal}`),
      resume: async (principal) => void done.push(`resume ${principal}`),
      deregister: async (principal) => void done.push(`deregister ${principal}`),
    },
    emit: () => {},
    now: () => state.now++,
    newId: () => String(++state.ids).padStart(10, '0'),
    act: false,
    limits: LIMITS,
    ...more,
  };
  return { incidents: new Incidents(options), again: () => new Incidents(options), done, state };
}

describe('incidents', () => {
  it('are one for each rule and subject, however often it happens, and bounded in number and length', async () => {
    const { incidents } = await opened();
    for (let count = 0; count < 500; count++)
      incidents.suspect({ rule: 'denials', subject: PUMP, text: `event ${count}` });
    for (let count = 0; count < 1200; count++)
      incidents.suspect({ rule: 'guessing', subject: `address:${count}`, text: 'x' });
    const { items } = await incidents.list({ limit: 1000 });
    expect(items).toHaveLength(1000);
    const one = await incidents.get('0000000001');
    expect(one.count).toBe(500);
    expect(one.timeline).toHaveLength(100);
    expect([one.timeline[0]?.text, one.timeline.at(-1)?.text]).toEqual(['event 0', 'event 499']);
  });

  it('go no further by themselves than their rule may', async () => {
    const { incidents, done } = await opened({
      act: true,
      limits: { ...LIMITS, denials: 'throttle', 'two-places': 'note' },
    });
    incidents.suspect({ rule: 'denials', subject: PUMP, text: 'denied' });
    incidents.suspect({ rule: 'two-places', subject: 'device:demo/pump/pump-8', text: 'two' });
    await expect.poll(() => done).toEqual([`${PUMP} throttle`]);
  });

  it('hold the hardest of what is held against one principal, until all of it is released', async () => {
    const { incidents, done } = await opened();
    incidents.suspect({ rule: 'denials', subject: PUMP, text: 'denied' });
    incidents.suspect({ rule: 'flood', subject: PUMP, text: 'flood' });
    await incidents.contain('0000000001', 'throttle', 'operator:ann');
    await incidents.contain('0000000002', 'quarantine', 'operator:ann');
    await incidents.release('0000000002', 'operator:ann');
    await incidents.resolve('0000000001', 'operator:ann');
    expect(done).toEqual([`${PUMP} throttle`, `${PUMP} quarantine`, `${PUMP} throttle`, `${PUMP} free`]);
  });

  it('are in force again after a restart, and one that is resolved is not', async () => {
    const { incidents, again, done } = await opened();
    incidents.suspect({ rule: 'denials', subject: PUMP, text: 'denied' });
    incidents.suspect({ rule: 'flood', subject: 'device:demo/pump/pump-8', text: 'flood' });
    await incidents.contain('0000000001', 'read-only', 'operator:ann');
    await incidents.contain('0000000002', 'throttle', 'operator:ann');
    await incidents.resolve('0000000002', 'operator:ann');
    await incidents.close();
    done.length = 0;
    const later = again();
    await later.load();
    expect(done).toEqual([`${PUMP} read-only`]);
    expect(await later.get('0000000002')).toMatchObject({ state: 'resolved' });
  });
});

describe('suspicions', () => {
  const session = (principal: string, remoteAddress: string) => ({
    organisation: 'demo',
    clientId: 'x',
    principal,
    transport: {
      listener: 'mqtt-tls',
      transport: 'tls',
      secure: true,
      remoteAddress,
      remotePort: 1,
      localPort: 8883,
      certificateTrusted: false,
    } as const,
    presence: 1,
    protocolVersion: 5 as const,
  });
  const opens = (principal: string, address: string) =>
    ({
      type: 'session.opened',
      ...session(principal, address),
      credential: 'c',
      credentialKind: 'token',
      assurance: 'full',
      cleanStart: true,
      sessionPresent: false,
    }) as const;
  const pushedOut = (principal: string, address: string) =>
    ({
      type: 'session.closed',
      ...session(principal, address),
      closeCode: 288,
      reason: '',
      connectedAt: 0,
      readBytes: 0,
      readMessages: 0,
      writtenBytes: 0,
      writtenMessages: 0,
    }) as const;

  it('see a device that connects again and again, whatever its client id, and no application', () => {
    const suspicions = new Suspicions(() => 0);
    const found = (principal: string) =>
      Array.from({ length: 30 }, () => suspicions.observe(opens(principal, '192.0.2.1')))
        .flat()
        .map(({ rule }) => rule);
    expect(found(PUMP)).toEqual(['flapping']);
    expect(found('application:demo/desk')).toEqual([]);
  });

  it('see one identity in two places, and not one that moves once', () => {
    let now = 0;
    const suspicions = new Suspicions(() => now++);
    const moves = (from: string, to: string) =>
      [opens(PUMP, to), pushedOut(PUMP, from)].flatMap((event) => suspicions.observe(event)).map(({ rule }) => rule);
    expect(moves('192.0.2.1', '192.0.2.2')).toEqual([]);
    expect(moves('192.0.2.2', '192.0.2.1')).toEqual(['two-places']);
    expect(moves('2001:db8::1', '2001:db8::2')).toEqual([]);
  });

  it('forget what lies too far back', () => {
    let now = 0;
    const suspicions = new Suspicions(() => now);
    const found = [];
    for (let count = 0; count < 100; count++) {
      now += 10_000;
      found.push(...suspicions.observe(opens(PUMP, '192.0.2.1')));
    }
    expect(found).toEqual([]);
  });
});
