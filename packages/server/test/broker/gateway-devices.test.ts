import { type DevicePrincipal, Failure } from '@sallyport/model';
import { describe, expect, it } from 'vitest';
import type { KnownPrincipal } from '../../src/authentication/known-principal.ts';
import { gatewayDevices, type RegistrationBounds } from '../../src/broker/gateway-devices.ts';

const HUB: DevicePrincipal = { kind: 'gateway', organisation: 'demo', type: 'hub', id: 'hub-1' };
const PRIVILEGED = ['gateway-privileged'];
const named = (id: string) => ({ organisation: 'demo', type: 'pump', id });

function desk(bounds: Partial<RegistrationBounds> = {}) {
  const registry = new Map<string, KnownPrincipal>();
  const registered: string[] = [];
  const clock = { time: 0 };
  let register = async ({ type, id }: { type: string; id: string }): Promise<void> => {
    registered.push(`${type}/${id}`);
    registry.set(`device:demo/${type}/${id}`, known(id));
  };
  const ask = gatewayDevices({
    findPrincipal: (name) => registry.get(name),
    register: (device) => register(device),
    bounds: { pending: 128, perGateway: 500, retryAfter: 600_000, ...bounds },
    now: () => clock.time,
  });
  return {
    ask,
    registry,
    registered,
    clock,
    registerWith(replaced: typeof register) {
      register = replaced;
    },
  };
}

function known(id: string, suspendedAt?: number): KnownPrincipal {
  return {
    principal: { kind: 'device', organisation: 'demo', type: 'pump', id },
    roles: [],
    security: 'tls-token',
    credentials: [],
    ...(suspendedAt === undefined ? {} : { suspendedAt }),
  };
}

describe('a device that a gateway names', () => {
  it('is known at once if it is registered', () => {
    const { ask, registry } = desk();
    registry.set('device:demo/pump/pump-1', known('pump-1'));
    expect(ask(HUB, [], named('pump-1'))).toBe('registered');
  });

  it('may not be spoken for while it is suspended', () => {
    const { ask, registry } = desk();
    registry.set('device:demo/pump/pump-1', known('pump-1', 1));
    expect(ask(HUB, PRIVILEGED, named('pump-1'))).toMatchObject({ reason: 'principal_suspended' });
  });

  it('is registered once, however often it is named meanwhile', async () => {
    const { ask, registered } = desk();
    const answers = [ask(HUB, PRIVILEGED, named('pump-1')), ask(HUB, PRIVILEGED, named('pump-1'))];
    expect(await Promise.all(answers.map(async (answer) => answer))).toEqual(['registered', 'registered']);
    expect(registered).toEqual(['pump/pump-1']);
  });

  it('is not registered without the privileged role, nor under a name that no device can have', () => {
    const { ask, registered } = desk();
    expect(ask(HUB, ['gateway-standard'], named('pump-1'))).toMatchObject({ reason: 'device_not_registered' });
    expect(ask(HUB, PRIVILEGED, named('pump 1'))).toMatchObject({ reason: 'device_not_registered' });
    expect(ask(HUB, PRIVILEGED, named('x'.repeat(37)))).toMatchObject({ reason: 'device_not_registered' });
    expect(registered).toEqual([]);
  });

  it('is refused without another attempt for a while after a failure, and then tried again', async () => {
    const { ask, clock, registerWith } = desk();
    let attempts = 0;
    registerWith(async () => {
      attempts++;
      throw new Failure('not_found', 'the device type pump does not exist');
    });
    const refused = expect.objectContaining({
      reason: 'device_not_registered',
      text: expect.stringContaining('the device type pump does not exist'),
    });
    expect(await ask(HUB, PRIVILEGED, named('pump-1'))).toEqual(refused);
    expect(ask(HUB, PRIVILEGED, named('pump-1'))).toEqual(refused);
    expect(attempts).toBe(1);
    clock.time = 600_000;
    await ask(HUB, PRIVILEGED, named('pump-1'));
    expect(attempts).toBe(2);
  });

  it('was registered by somebody else who was faster', async () => {
    const { ask, registerWith } = desk();
    registerWith(async () => {
      throw new Failure('already_exists', 'the device exists');
    });
    expect(await ask(HUB, PRIVILEGED, named('pump-1'))).toBe('registered');
  });

  it('has bounds: registrations under way, and those of one gateway', async () => {
    const { ask, registerWith, registered } = desk({ pending: 2, perGateway: 3 });
    let finish = (): void => {};
    const gate = new Promise<void>((resolve) => {
      finish = resolve;
    });
    registerWith(async ({ id }) => {
      await gate;
      registered.push(id);
    });
    const open = [ask(HUB, PRIVILEGED, named('a')), ask(HUB, PRIVILEGED, named('b'))];
    expect(ask(HUB, PRIVILEGED, named('c'))).toMatchObject({ reason: 'quota_exceeded' });
    finish();
    await Promise.all(open.map(async (answer) => answer));
    expect(await ask(HUB, PRIVILEGED, named('c'))).toBe('registered');
    expect(ask(HUB, PRIVILEGED, named('d'))).toMatchObject({ reason: 'quota_exceeded' });
    expect(await ask({ ...HUB, id: 'hub-2' }, PRIVILEGED, named('d'))).toBe('registered');
    expect(registered).toEqual(['a', 'b', 'c', 'd']);
  });

  it('is refused when nobody can look it up', async () => {
    const options = { register: async () => {}, bounds: { pending: 1, perGateway: 1, retryAfter: 1 }, now: () => 0 };
    const broken = gatewayDevices({ ...options, findPrincipal: () => Promise.reject(new Error('gone')) });
    expect(await broken(HUB, PRIVILEGED, named('a'))).toMatchObject({ reason: 'device_not_registered' });
  });
});
