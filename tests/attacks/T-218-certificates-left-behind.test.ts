import { CertificateStore } from '@sallyport/device/firmware';
import type { CertificateAuthority } from '@sallyport/trust';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TufRepository, tufClient } from '../../packages/device/test/firmware/tuf-repository.ts';
import { ownAuthority, pairOf } from '../certificate-clients.ts';

const HOUR = 3_600_000;
const now = Date.now();

describe('a certificate that an update left on a device', () => {
  let device: ReturnType<typeof tufClient>;
  let authority: CertificateAuthority;
  let store: CertificateStore;
  beforeEach(async () => {
    device = tufClient(new TufRepository());
    authority = await ownAuthority();
    store = new CertificateStore(device.flash, device.rom, await pairOf(authority, 'd:pump:pump-7', { now }));
  });
  afterEach(() => device.remove());

  it('is used for the next attempt, whatever its version and slot, if its image never started', async () => {
    const left = await pairOf(authority, 'd:pump:pump-7', { now: now + 1_000 });
    store.keepFor('b', '1.1.0', left);
    store.settle({ slot: 'a', version: '1.0.0', trial: false });
    expect(store.keepUnusedFor('b', '1.2.0', now)).toBe(true);
    expect(store.settle({ slot: 'b', version: '1.2.0', trial: false })).toBe(true);
    expect(store.inUse.key).toBe(left.key);
  });

  it('never comes back once its image was tried and given up', async () => {
    store.keepFor('b', '1.1.0', await pairOf(authority, 'd:pump:pump-7', { now: now + 1_000 }));
    store.settle({ slot: 'b', version: '1.1.0', trial: true });
    expect(store.keepUnusedFor('b', '1.1.0', now)).toBe(false);
    store.settle({ slot: 'a', version: '1.0.0', trial: false });
    expect(store.keepUnusedFor('b', '1.1.0', now)).toBe(false);
  });

  it('is not used when it has ended, or ends before the one in use', async () => {
    store.keepFor('b', '1.1.0', await pairOf(authority, 'd:pump:pump-7', { now: now + 1_000 }));
    expect(store.keepUnusedFor('b', '1.1.0', now + 100_000 * HOUR)).toBe(false);
    store.keepFor('b', '1.1.0', await pairOf(authority, 'd:pump:pump-7', { now: now - HOUR / 2 }));
    expect(store.keepUnusedFor('b', '1.1.0', now)).toBe(false);
  });
});
