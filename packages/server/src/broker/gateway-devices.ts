import type { RefusalReason } from '@sallyport/model';
import { type DevicePrincipal, Failure, parseDeviceId, parseTypeId, principalName } from '@sallyport/model';
import type { Find, KnownPrincipal } from '../authentication/known-principal.ts';

/** A device that a gateway names. */
export interface DeviceName {
  readonly organisation: string;
  readonly type: string;
  readonly id: string;
}

/** Why a gateway may not speak for a device. */
export interface NotForGateway {
  readonly reason: RefusalReason;
  readonly text: string;
  readonly cure?: string;
}

export type DeviceAnswer = 'registered' | NotForGateway;

/** Whether a gateway may speak for a device. Never rejects. */
export type AskForDevice = (
  gateway: DevicePrincipal,
  roles: readonly string[],
  device: DeviceName,
) => DeviceAnswer | Promise<DeviceAnswer>;

/** Bounds on what gateways may add to the registry. */
export interface RegistrationBounds {
  /** Registrations under way at once, of all gateways. */
  readonly pending: number;
  /** Registered by one gateway since the start. */
  readonly perGateway: number;
  /** Milliseconds for which a failure is remembered. */
  readonly retryAfter: number;
}

export interface GatewayDevicesOptions {
  /** By written form. */
  readonly findPrincipal: Find;
  /** Registers a device under an existing type of devices; throws the failure that the gateway is told of. */
  readonly register: (device: DeviceName, by: string) => Promise<unknown>;
  readonly bounds: RegistrationBounds;
  readonly now: () => number;
}

/** What is remembered at most: the oldest goes first. */
const REMEMBERED = 10_000;

/**
 * Devices that gateways speak for: registered ones, and those that a gateway with the privileged role meets, which are then
 * registered (watson-iot.md section 2.7). Bounded, as a gateway can name what it likes.
 */
export function gatewayDevices({ findPrincipal, register, bounds, now }: GatewayDevicesOptions): AskForDevice {
  const pending = new Map<string, Promise<DeviceAnswer>>();
  const failed = new Map<string, { readonly until: number; readonly answer: NotForGateway }>();
  const registered = new Map<string, number>();

  function meet(
    gateway: DevicePrincipal,
    roles: readonly string[],
    device: DeviceName,
  ): DeviceAnswer | Promise<DeviceAnswer> {
    const by = principalName(gateway);
    const name = nameOf(device);
    if (!roles.includes('gateway-privileged'))
      return unregistered(`${name} is not registered, and ${by} may not register devices.`);
    if (!parseTypeId(device.type).ok || !parseDeviceId(device.id).ok)
      return unregistered(`${name} is no name of a device.`);
    const earlier = failed.get(name);
    if (earlier !== undefined && earlier.until > now()) return earlier.answer;
    const underWay = pending.get(name);
    if (underWay !== undefined) return underWay;
    const count = registered.get(by) ?? 0;
    if (count >= bounds.perGateway) return tooMany(`${by} has registered ${count} devices, its limit.`);
    if (pending.size >= bounds.pending) return tooMany(`${pending.size} devices are being registered, the limit.`);
    remember(registered, by, count + 1);
    const answer = attempt(device, by, name).finally(() => pending.delete(name));
    pending.set(name, answer);
    return answer;
  }

  async function attempt(device: DeviceName, by: string, name: string): Promise<DeviceAnswer> {
    try {
      await register(device, by);
      return 'registered';
    } catch (error) {
      // Somebody else was faster.
      if (error instanceof Failure && error.code === 'already_exists') return 'registered';
      const why = error instanceof Failure ? error.message : 'the registry failed';
      const answer = unregistered(
        `${name} could not be registered: ${why}.`,
        error instanceof Failure ? error.cure : undefined,
      );
      remember(failed, name, { until: now() + bounds.retryAfter, answer });
      remember(registered, by, Math.max(0, (registered.get(by) ?? 1) - 1));
      return answer;
    }
  }

  return (gateway, roles, device) => {
    const judge = (known: KnownPrincipal | undefined) =>
      known === undefined ? meet(gateway, roles, device) : standing(known, device);
    const broken = (): NotForGateway => unregistered(`${nameOf(device)} could not be looked up.`);
    try {
      const known = findPrincipal(nameOf(device));
      return known instanceof Promise ? known.then(judge, broken) : judge(known);
    } catch {
      return broken();
    }
  };
}

function standing({ suspendedAt }: KnownPrincipal, device: DeviceName): DeviceAnswer {
  return suspendedAt === undefined
    ? 'registered'
    : { reason: 'principal_suspended', text: `${nameOf(device)} is suspended.` };
}

function nameOf(device: DeviceName): string {
  return principalName({ kind: 'device', ...device });
}

function unregistered(text: string, cure?: string): NotForGateway {
  return { reason: 'device_not_registered', text, ...(cure === undefined ? {} : { cure }) };
}

function tooMany(text: string): NotForGateway {
  return { reason: 'quota_exceeded', text };
}

function remember<T>(map: Map<string, T>, name: string, value: T): void {
  map.delete(name);
  if (map.size >= REMEMBERED) {
    const [oldest] = map.keys();
    if (oldest !== undefined) map.delete(oldest);
  }
  map.set(name, value);
}
