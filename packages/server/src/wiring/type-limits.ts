import type { Principal } from '@sallyport/model';
import { limitsOfType } from '../broker/configured-limits.ts';
import type { BrokerLimits } from '../broker/limits.ts';
import type { DeviceType, RegistryChange } from '../registry/records.ts';
import type { Registry } from '../registry/registry.ts';

/** The bounds of device types, kept in memory and followed as the registry changes. */
export interface FollowedTypeLimits {
  /** Those that the type of a device or gateway has of its own. */
  of(principal: Principal): Partial<BrokerLimits> | undefined;
  changed(change: RegistryChange): void;
}

/** Reads the bounds that device types have now. */
export async function followTypeLimits(registry: Pick<Registry, 'types'>): Promise<FollowedTypeLimits> {
  const limits = new Map<string, Partial<BrokerLimits>>();
  const keep = ({ organisation, id, limits: own }: DeviceType): void => {
    if (own === undefined) limits.delete(`${organisation}/${id}`);
    else limits.set(`${organisation}/${id}`, limitsOfType(own));
  };
  for (const type of await registry.types.limited()) keep(type);
  return {
    of: (principal) => ('type' in principal ? limits.get(`${principal.organisation}/${principal.type}`) : undefined),
    changed({ kind, change, type, target }) {
      if (kind !== 'type') return;
      if (type !== undefined) keep(type);
      if (change === 'removed') limits.delete(target.slice('type:'.length));
    },
  };
}
