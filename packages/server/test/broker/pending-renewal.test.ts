import { describe, expect, it } from 'vitest';
import type { Admission, Arrival, ArrivalVerdict, Rights } from '../../src/broker/arrival.ts';
import type { Client } from './harness.ts';
import { Stage, settled } from './harness.ts';

const PRINCIPAL = { kind: 'application', organisation: 'demo', id: 'lab' } as const;
const METHOD = { authenticationMethod: 'ANY' };

/** Doors that demand a code of everybody, and take every method. */
function demanding(): Stage {
  const stage: Stage = new Stage({
    arrive: (arrival: Arrival): ArrivalVerdict => {
      const full = stage.admission(PRINCIPAL, arrival.evidence.clientId.text, false);
      const permits: Rights['permits'] = (_, resource) => resource.startsWith('unlock');
      const session: Admission = {
        ...full,
        grounds: { ...full.grounds, presence: 'demanded' },
        rights: { ...full.rights, version: 1, permits },
        raised: full.rights,
        assurance: 'pending',
      };
      return { outcome: 'admitted', session };
    },
  });
  return stage;
}

async function renew(client: Client): Promise<void> {
  client.send({ type: 'auth', reasonCode: 0x19, properties: METHOD });
  await settled();
  expect(client.expect('auth').reasonCode).toBe(0);
}

async function publishes(client: Client): Promise<number> {
  client.publish('data', 'x', { qos: 1 });
  await settled();
  return client.expect('puback').reasonCode;
}

describe('a client that authenticates itself again', () => {
  it('does not get past its one-time code by it', async () => {
    const client = await demanding().connect('c', { properties: METHOD });
    expect(await publishes(client)).toBe(0x87);
    await renew(client);
    expect(await publishes(client)).toBe(0x87);
  });

  it('owes no second code, and keeps its rights', async () => {
    const stage = demanding();
    const client = await stage.connect('c', { properties: METHOD });
    expect(stage.broker.raise({ organisation: 'demo', clientId: 'c', presence: 1 })).toBe(true);
    expect(await publishes(client)).toBeLessThan(0x80);
    await renew(client);
    expect(await publishes(client)).toBeLessThan(0x80);
    expect(stage.broker.findSession('demo', 'c')?.assurance).toBe('full');
  });

  it('can be raised after it', async () => {
    const stage = demanding();
    const client = await stage.connect('c', { properties: METHOD });
    await renew(client);
    stage.broker.raise({ organisation: 'demo', clientId: 'c', presence: 1 });
    expect(await publishes(client)).toBeLessThan(0x80);
  });
});
