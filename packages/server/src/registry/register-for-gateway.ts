import { Failure } from '@sallyport/model';
import type { DeviceName, Devices } from './devices.ts';
import type { Types } from './types.ts';

/**
 * Registers a device that a gateway speaks for, without any credential. Only under a type of devices: a gateway that registered
 * gateways would hand out its own rights.
 */
export async function registerForGateway(
  { types, devices }: { readonly types: Pick<Types, 'get'>; readonly devices: Pick<Devices, 'register'> },
  device: DeviceName,
  by: string,
): Promise<void> {
  const { organisation, type } = device;
  const known = await types.get({ organisation, id: type });
  if (known.class !== 'device') {
    throw new Failure('invalid_request', `${type} is a type of gateways`, {
      cure: 'Gateways are registered by operators; name a type of devices.',
    });
  }
  await devices.register({ ...device, by });
}
