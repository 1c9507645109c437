import { Failure } from '@sallyport/model';
import { type RegisterUnknown, registerUnknown } from '../authentication/register-unknown.ts';
import type { Configuration } from '../config/schema.ts';
import type { Registry } from '../registry/registry.ts';

/** Registration of unknown devices by their certificate, over the registry. */
export function wireRegistration({
  registry,
  settings,
  now,
}: {
  readonly registry: Registry;
  readonly settings: Configuration['enrolment'];
  readonly now: () => number;
}): RegisterUnknown {
  const { authorities, types, pendingDevices } = registry;
  return registerUnknown({
    modeOf: async ({ organisation, authority }) =>
      (await authorities.get({ organisation, fingerprint: authority })).registration,
    isDeviceType: async ({ organisation, type }) =>
      types.get({ organisation, id: type }).then(
        (known) => known.class === 'device',
        (error: unknown) => {
          if (error instanceof Failure && error.code === 'not_found') return false;
          throw error;
        },
      ),
    note: (device) => pendingDevices.note({ ...device, most: settings.maximumPendingDevices }),
    register: async (device) =>
      pendingDevices.register({ ...device, by: 'system' }).catch((error: unknown) => {
        // Its other connection was faster.
        if (!(error instanceof Failure) || error.code !== 'already_exists') throw error;
      }),
    bounds: { rate: settings.maximumRegistrationRate, perAuthority: settings.maximumRegistrations },
    now,
  });
}
