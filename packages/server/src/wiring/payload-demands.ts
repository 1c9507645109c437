import type { PayloadDemand, PayloadDemands } from '../broker/payload-demand.ts';
import type { DeviceType, RegistryChange } from '../registry/records.ts';
import type { Registry } from '../registry/registry.ts';

/** The demands of device types, kept in memory and followed as the registry changes. */
export interface FollowedDemands extends PayloadDemands {
  changed(change: RegistryChange): void;
  /** By organisation and type, as `demo/pump`. */
  all(): readonly (readonly [type: string, demand: PayloadDemand])[];
}

/** Reads what the device types demand now. `onChange` is told what a type demands from now on, undefined if nothing. */
export async function followDemands(
  registry: Pick<Registry, 'types'>,
  onChange: (type: string, demand: PayloadDemand | undefined) => void = () => {},
): Promise<FollowedDemands> {
  const demands = new Map<string, PayloadDemand>();
  let version = 0;
  const keep = (type: DeviceType): void => {
    const { commands = 'any', encryption = 'optional' } = type;
    const key = `${type.organisation}/${type.id}`;
    if (commands === 'any' && encryption === 'optional') demands.delete(key);
    else demands.set(key, { commands, encryption });
  };
  for (const type of await registry.types.demanding()) keep(type);
  return {
    get version() {
      return version;
    },
    of: (organisation, type) => demands.get(`${organisation}/${type}`),
    changed({ kind, change, type, target }) {
      if (kind !== 'type') return;
      const name = target.slice('type:'.length);
      if (type !== undefined) keep(type);
      if (change === 'removed') demands.delete(name);
      version++;
      onChange(name, demands.get(name));
    },
    all: () => [...demands],
  };
}
