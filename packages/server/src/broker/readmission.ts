import type { Principal } from '@sallyport/model';
import type { Authorizer } from '../authorization/authorizer.ts';
import { assuranceOf } from './arrive.ts';
import type { BrokerLimits } from './limits.ts';
import type { Readmit } from './restore.ts';

export interface ReadmissionOptions {
  readonly authorizer: Authorizer;
  readonly limitsOf: (principal: Principal) => Partial<BrokerLimits>;
}

/** Puts stored sessions back behind the second door: with the policy as it is now, asked at each use. */
export function readmission({ authorizer, limitsOf }: ReadmissionOptions): Readmit {
  return async ({ grounds, organisation, clientId, facts, scoped, watson, assurance }) => {
    const { principal } = grounds;
    if (principal.kind === 'operator' || principal.organisation !== organisation) return undefined;
    await authorizer.load(organisation);
    const text = `The session was kept over a restart; its client last came by ${facts.transport} from ${facts.remoteAddress}.`;
    const arrival = [{ stage: 'transport', outcome: 'passed', text }] as const;
    // Whoever comes back to a pending session is asked anew what it owes; while its client is away it gets nothing.
    const owes = assurance === 'pending' ? { owes: {} } : {};
    const door = authorizer.open({ grounds, clientId, transport: facts, arrival, ...owes });
    return {
      organisation,
      principal,
      grounds,
      clientId,
      scoped,
      watson,
      ...assuranceOf(door),
      limits: limitsOf(principal),
    };
  };
}
