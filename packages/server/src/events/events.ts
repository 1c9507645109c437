import type { Refusal } from '@sallyport/model';
import type { AlertEvent } from './alert-events.ts';
import type { CommandEvent } from './command-events.ts';
import type { CredentialKind } from './credential-kind.ts';
import type { FirmwareEvent } from './firmware-events.ts';
import type { IncidentEvent } from './incident-events.ts';
import type { ListEvent } from './list-events.ts';
import type { OauthEvent } from './oauth-events.ts';
import type { RevocationEvent } from './revocation-events.ts';
import type { TokenEvent } from './token-events.ts';
import type { TransportFacts } from './transport-facts.ts';
import type { UnlockEvent } from './unlock-events.ts';
import type { WorkerEvent } from './worker-events.ts';

export type { CredentialKind } from './credential-kind.ts';

interface SessionFacts {
  readonly organisation: string;
  readonly clientId: string;
  /** Written form of the principal. */
  readonly principal: string;
  /** Number of the connection, of all that became sessions since the start. */
  readonly presence: number;
  readonly transport: TransportFacts;
}

/**
 * Everything that happens in the server and that somebody may want to know. Observers (audit, metrics, `mon` messages, later
 * incidents) listen; none of them decides. A message that passes is counted, not announced: its path makes no objects.
 */
export type ServerEvent =
  | ListEvent
  | IncidentEvent
  | AlertEvent
  | CommandEvent
  | { readonly type: 'server.started'; readonly version: string; readonly listeners: readonly string[] }
  | { readonly type: 'server.stopping'; readonly cause: string }
  | { readonly type: 'server.unsafe'; readonly setting: string; readonly meaning: string }
  | ({
      readonly type: 'session.opened';
      readonly protocolVersion: 3 | 4 | 5;
      readonly username?: string;
      readonly credential: string;
      readonly credentialKind: CredentialKind;
      /** `pending`: it has yet to give a one-time code. */
      readonly assurance: 'full' | 'pending';
      readonly cleanStart: boolean;
      readonly sessionPresent: boolean;
    } & SessionFacts)
  | ({
      readonly type: 'session.closed';
      readonly protocolVersion: 3 | 4 | 5;
      readonly username?: string;
      /** Close code of the Watson IoT Platform: 0 normal, 288 client id reused, … */
      readonly closeCode: number;
      readonly reason: string;
      readonly connectedAt: number;
      readonly readBytes: number;
      readonly readMessages: number;
      readonly writtenBytes: number;
      readonly writtenMessages: number;
    } & SessionFacts)
  | { readonly type: 'session.refused'; readonly refusal: Refusal; readonly transport: TransportFacts }
  | { readonly type: 'session.slowed'; readonly refusal: Refusal }
  | { readonly type: 'message.denied'; readonly refusal: Refusal }
  | { readonly type: 'subscription.denied'; readonly refusal: Refusal }
  | { readonly type: 'delivery.denied'; readonly refusal: Refusal }
  | {
      readonly type: 'message.dropped';
      readonly organisation: string;
      readonly clientId: string;
      readonly cause: string;
      readonly count: number;
    }
  | { readonly type: 'handshake.refused'; readonly refusal: Refusal }
  | { readonly type: 'request.refused'; readonly refusal: Refusal }
  | {
      /** A mutation of the registry or of a policy, recorded in the same transaction. */
      readonly type: 'registry.changed';
      /** Written form of the operator, or `system`. */
      readonly by: string;
      readonly action: string;
      /** Written form of the thing that was changed, for example `device:demo/pump/pump-7` or `policy:demo`. */
      readonly target: string;
      readonly organisation?: string;
    }
  | TokenEvent
  | FirmwareEvent
  | OauthEvent
  | RevocationEvent
  | UnlockEvent
  | WorkerEvent
  | { readonly type: 'store.failing'; readonly store: string; readonly problem: string }
  | { readonly type: 'store.recovered'; readonly store: string }
  | { readonly type: 'defect'; readonly where: string; readonly problem: string };

export type ServerEventType = ServerEvent['type'];
export type EventOf<T extends ServerEventType> = Extract<ServerEvent, { readonly type: T }>;
