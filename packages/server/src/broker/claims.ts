import { principalName } from '@sallyport/model';
import type { Connect } from '@sallyport/mqtt';
import type { Admission } from './arrival.ts';
import type { ClaimAnswer } from './claim-request.ts';
import { type BrokerContext, realmOf } from './context.ts';
import { fetchSession } from './move-in.ts';
import type { NotOpened } from './not-opened.ts';
import { expiryOf, scalableOf } from './open-session.ts';
import type { Session } from './session.ts';
import { storedSession } from './stored-session.ts';
import type { Team } from './team.ts';

/** A client id that this worker has now; whatever another worker had of its session is here. */
export interface Claimed {
  readonly clientId: string;
  /** Tells the office that the client has its session, or (undefined) that it has none: the next one may have it then. */
  settle(session: Session | undefined): void;
}

const NO_OFFICE: NotOpened = { reason: 'connection_limit', text: 'The server is not whole at the moment.' };

/** Claims the client id of an admitted client for this worker. Answers milliseconds if it has to wait for its turn and to ask again. */
export async function claimSession(
  context: BrokerContext,
  team: Team,
  packet: Connect,
  admission: Admission,
  hasTurn: boolean,
): Promise<number | NotOpened | Claimed> {
  const { organisation, principal } = admission;
  const limits = { ...context.limits, ...admission.limits };
  const scalable = scalableOf(admission.clientId);
  const nameless = scalable !== undefined && scalable.instance === undefined;
  const keeps = !packet.cleanStart && expiryOf(packet, limits) > 0;
  const answer = await team.office.claim({
    organisation,
    clientId: nameOf(context, admission.clientId, nameless),
    principal: principalName(principal),
    ...(scalable === undefined ? {} : { instances: `A:${scalable.organisation}:${scalable.id}:` }),
    ...(nameless && keeps ? { left: `${admission.clientId}:~` } : {}),
    hasTurn,
    limits: {
      connectRate: limits.connectRate,
      takeoverRate: limits.takeoverRate,
      connectDeadline: limits.connectDeadline,
      principalSessions: limits.principalSessions,
      sessions: limits.sessions,
      organisationConnections: limits.organisationConnections,
      scalableInstances: limits.scalableInstances,
    },
  });
  if (answer === undefined) return NO_OFFICE;
  if ('wait' in answer) return answer.wait;
  if ('refused' in answer) return answer.refused;
  const moved =
    answer.from === undefined ? 'none' : await fetchSession(context, team, packet, admission, limits, answer);
  if (moved === 'lost') {
    void team.office.settle(answer.id, false);
    return {
      reason: 'connection_limit',
      text: 'The session of this client id could not be brought here; it stays where it was.',
    };
  }
  useShares(context, admission, answer);
  return {
    clientId: answer.clientId,
    settle(session) {
      if (moved === 'moved') {
        // It is in the book already, as one whose client is here.
        if (session === undefined) team.office.away(organisation, answer.clientId);
        return;
      }
      const will = session?.will === undefined || session.storeId > 0 ? undefined : storedSession(session);
      void team.office.settle(answer.id, session !== undefined, will);
    },
  };
}

/** The client id that it is to have; one that is made up where it brings none of its own. */
function nameOf({ random }: BrokerContext, clientId: string, nameless: boolean): string {
  if (clientId === '') return `auto-${Buffer.from(random(16)).toString('base64url')}`;
  return nameless ? `${clientId}:~${Buffer.from(random(9)).toString('base64url')}` : clientId;
}

function useShares(
  context: BrokerContext,
  { organisation, principal }: Admission,
  { shares }: Extract<ClaimAnswer, { id: number }>,
): void {
  context.accounts.of(principalName(principal), context.now()).traffic.portion(shares.principal);
  realmOf(context, organisation).traffic.portion(shares.organisation);
}
