import { REASONS, type Refusal } from '@sallyport/model';
import { listsHost } from '../authority/host-names.ts';
import type { ServerEvent } from '../events/events.ts';
import type { HandshakeFailure, HandshakeFailureReport } from './handshake-problem.ts';

export interface HandshakeFailuresOptions {
  /** Keeps the refusal and gives it a ticket. */
  readonly refuse: (refusal: Omit<Refusal, 'ticket' | 'at' | 'lastAt' | 'count'>) => Refusal;
  readonly emit: (event: ServerEvent) => void;
  /** Names that the server certificate lists. Left out: they are not looked at. */
  readonly ownNames?: () => readonly string[];
}

/** What a client does that has met a certificate of another name; some say so, others just go. */
const GONE: ReadonlySet<HandshakeFailure['problem']> = new Set(['server_certificate_rejected', 'handshake_abandoned']);

/** Turns a connection that never reached CONNECT into a refusal that `sallyport explain` can show. */
export function handshakeFailures({ refuse, emit, ownNames }: HandshakeFailuresOptions): HandshakeFailureReport {
  return ({ detail, remoteAddress, listener, tlsVersion, serverName, cure, ...failure }: HandshakeFailure) => {
    const names = ownNames?.() ?? [];
    const isElsewhere =
      GONE.has(failure.problem) && serverName !== undefined && names.length > 0 && !listsHost(names, serverName);
    const problem = isElsewhere ? 'server_name_unknown' : failure.problem;
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
      steps: [
        {
          stage: row.stage,
          outcome: 'failed',
          text: `${detail}${offered}`,
          ...(isElsewhere ? { compared: { what: 'server name', found: serverName, expected: names.join(', ') } } : {}),
        },
      ],
      cure: cure ?? row.cure,
    });
    emit({ type: 'handshake.refused', refusal });
  };
}
