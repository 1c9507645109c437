import { describe, expect, it } from 'vitest';
import { type CertificateLookup, CertificateMemory } from '../../src/registry/certificate-memory.ts';
import type { RegistryChange } from '../../src/registry/records.ts';

const NAME = { issuerNameHash: 'aa', serial: '01' };

/** A registry whose answers change, and are given when the test says so. */
function laboratory() {
  let asked = 0;
  let revokedAt: number | undefined;
  let hold: Promise<void> = Promise.resolve();
  const source = {
    async findBySerial() {
      asked += 1;
      const rows = [{ kind: 'issued', ...(revokedAt === undefined ? {} : { revokedAt }) }];
      await hold;
      return rows;
    },
    findPin: async () => {
      asked += 1;
      return undefined;
    },
    findBySubject: async () => [],
    trusts: async () => true,
  } as unknown as CertificateLookup;
  const memory = new CertificateMemory(source);
  const change = (kind: RegistryChange['kind']) => memory.forget({ kind, change: 'revoked' } as RegistryChange);
  return {
    memory,
    change,
    asked: () => asked,
    revoke() {
      revokedAt = 7;
    },
    holdBack(until: Promise<void>) {
      hold = until;
    },
  };
}

describe('what is remembered of certificates', () => {
  it('is asked for once, also that nothing is on record', async () => {
    const { memory, asked } = laboratory();
    for (let n = 0; n < 3; n++) {
      await memory.findBySerial(NAME);
      expect(await memory.findPin('ff')).toBeUndefined();
    }
    expect(asked()).toBe(2);
    await memory.findBySerial({ ...NAME, serial: '02' });
    expect(asked()).toBe(3);
  });

  it('is forgotten with every change but those of policies', async () => {
    const { memory, change, revoke } = laboratory();
    await memory.findBySerial(NAME);
    revoke();
    change('policy');
    expect((await memory.findBySerial(NAME))[0]).not.toHaveProperty('revokedAt');
    for (const kind of ['certificate', 'authority', 'organisation', 'device', 'application'] as const) {
      change(kind);
      expect((await memory.findBySerial(NAME))[0]).toMatchObject({ revokedAt: 7 });
    }
  });

  it('is never what was read before a change that came meanwhile', async () => {
    const { memory, change, revoke, holdBack } = laboratory();
    let release = () => {};
    holdBack(
      new Promise<void>((resolve) => {
        release = resolve;
      }),
    );
    const asking = memory.findBySerial(NAME);
    revoke();
    change('certificate');
    release();
    expect((await asking)[0]).toMatchObject({ revokedAt: 7 });
    expect((await memory.findBySerial(NAME))[0]).toMatchObject({ revokedAt: 7 });
  });
});
