import type { Principal } from '@sallyport/model';
import type { Authorizer } from '../authorization/authorizer.ts';
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
    const { rights } = authorizer.open({ grounds, clientId, transport: facts, arrival });
    return {
      organisation,
      principal,
      grounds,
      clientId,
      scoped,
      watson,
      rights,
      assurance,
      limits: limitsOf(principal),
    };
  };
}
