import type { BrokerLimits } from './limits.ts';

const merged = new WeakMap<Partial<BrokerLimits>, { readonly of: BrokerLimits; readonly limits: BrokerLimits }>();

/** The bounds of a session: those of everybody, and before them its own. The same for all sessions that have the same of their own. */
export function sessionLimits(everybody: BrokerLimits, own: Partial<BrokerLimits> | undefined): BrokerLimits {
  if (own === undefined) return everybody;
  const known = merged.get(own);
  if (known?.of === everybody) return known.limits;
  const limits = { ...everybody, ...own };
  merged.set(own, { of: everybody, limits });
  return limits;
}
