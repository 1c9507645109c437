import { shownProofs } from '../authentication/connection-level.ts';
import type { TransportFacts } from '../events/transport-facts.ts';
import type { Session } from './session.ts';

/** Sessions meant: all that fit every property given. Written form of the principal, id of the credential; the type of a device or gateway. */
export interface SessionMatch {
  readonly organisation?: string;
  readonly principal?: string;
  readonly credential?: string;
  readonly clientId?: string;
  readonly deviceType?: string;
}

/** A session as the API shows it. */
export interface SessionView {
  readonly organisation: string;
  readonly clientId: string;
  readonly principal: string;
  readonly connected: boolean;
  readonly protocolVersion: 3 | 4 | 5;
  readonly address: string;
  readonly transport: TransportFacts['transport'];
  readonly assurance: 'full' | 'pending';
  readonly credentialKind: string;
  readonly proofs: readonly ('certificate' | 'token')[];
  /** Milliseconds since the epoch. */
  readonly connectedAt: number;
  readonly subscriptions: readonly { readonly filter: string; readonly qos: 0 | 1 | 2 }[];
  /** Messages that wait for the client. */
  readonly queued: number;
  /** Messages that the client has not acknowledged yet. */
  readonly inflight: number;
}

export function sessionMatches(session: Session, match: SessionMatch): boolean {
  return (
    (match.organisation === undefined || match.organisation === session.organisation) &&
    (match.principal === undefined || match.principal === session.principalName) &&
    (match.credential === undefined || match.credential === session.grounds.credential) &&
    (match.clientId === undefined || match.clientId === session.clientId) &&
    (match.deviceType === undefined || match.deviceType === typeOf(session))
  );
}

function typeOf({ principal }: Session): string | undefined {
  return 'type' in principal ? principal.type : undefined;
}

/** A picture of this moment. Subscriptions are shown in the full form of their filters. */
export function viewOf(session: Session): SessionView {
  return {
    organisation: session.organisation,
    clientId: session.clientId,
    principal: session.principalName,
    connected: session.link !== undefined,
    protocolVersion: session.version,
    address: session.lastAddress,
    transport: session.lastTransport,
    assurance: session.assurance,
    credentialKind: session.grounds.credentialKind,
    proofs: shownProofs(session.grounds),
    connectedAt: session.connectedAt,
    subscriptions: [...session.subscriptions.values()].map(({ filter, share, qos }) => ({
      filter: share === undefined ? filter : `$share/${share}/${filter}`,
      qos,
    })),
    queued: session.queue.length,
    inflight: session.window.size,
  };
}
