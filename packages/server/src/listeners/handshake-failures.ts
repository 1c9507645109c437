import { REASONS, type Refusal } from '@sallyport/model';
import type { ServerEvent } from '../events/events.ts';
import type { HandshakeFailure, HandshakeFailureReport } from './handshake-problem.ts';

export interface HandshakeFailuresOptions {
  /** Keeps the refusal and gives it a ticket. */
  readonly refuse: (refusal: Omit<Refusal, 'ticket' | 'at' | 'lastAt' | 'count'>) => Refusal;
  readonly emit: (event: ServerEvent) => void;
}

/** Turns a connection that never reached CONNECT into a refusal that `sallyport explain` can show. */
export function handshakeFailures({ refuse, emit }: HandshakeFailuresOptions): HandshakeFailureReport {
  return ({ problem, detail, remoteAddress, listener, tlsVersion, serverName, cure }: HandshakeFailure) => {
    const row = REASONS[problem];
    const offered = [
      tlsVersion === undefined ? '' : ` It offered ${tlsVersion} at most.`,
      serverName === undefined ? '' : ` It asked for the server name "${serverName}".`,
    ].join('');
    const refusal = refuse({
      action: 'handshake',
      reason: problem,
      // There is no packet that could have told the peer.
      reasonCode: 0,
      address: remoteAddress,
      listener,
      steps: [{ stage: row.stage, outcome: 'failed', text: `${detail}${offered}` }],
      cure: cure ?? row.cure,
    });
    emit({ type: 'handshake.refused', refusal });
  };
}
