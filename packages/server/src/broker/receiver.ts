import type { DevicePrincipal } from '@sallyport/model';
import type { Rights } from './arrival.ts';
import type { BrokerLimits } from './limits.ts';
import type { Link } from './link.ts';
import { MessageQueue } from './message-queue.ts';
import type { PendingAcks } from './pending-acks.ts';
import { Window } from './window.ts';

/** Nothing is ever put into it. */
const NOTHING_TO_RESEND: number[] = [];

/** The half of a session that gets messages: what is on its way to the client and what waits for it. */
export abstract class Receiver {
  abstract readonly organisation: string;
  abstract readonly clientId: string;
  abstract rights: Rights;
  abstract limits: BrokerLimits;
  /**
   * Rights that the receiver gets once its owner has proven to be present. While they are there, what needs them waits in the queue as it
   * does for an absent client.
   */
  raised: Rights | undefined;
  /** Set for devices and gateways that speak in short topics. */
  abstract scope: DevicePrincipal | undefined;

  /** The connection; undefined while the client is away. */
  link: Link | undefined;
  /** Counts what makes cached answers of `rights` void, beyond the version of the rights themselves. */
  epoch = 0;
  /** Number in the session store; 0: the session ends with its connection and nothing of it is stored. */
  storeId = 0;
  /** QoS 1 and 2 messages that may still be sent before one is acknowledged [MQTT-3.3.4-9]. */
  quota = 0;
  /** The most that {@link quota} can be on this connection. */
  receiveMaximum = 0;
  /** Bytes of a packet that the client takes [MQTT-3.1.2-24]. */
  maximumPacketSize = Number.POSITIVE_INFINITY;
  /** Packet identifiers of QoS 2 messages that were received and not released yet [MQTT-4.3.3-10]. */
  received: Set<number> | undefined;
  /** What the client is told once the store has it; undefined as long as it never had to wait. */
  pending: PendingAcks | undefined;
  readonly window = new Window();
  readonly queue = new MessageQueue();
  /** Packet identifiers of an earlier connection whose packets are still to be sent again, the next one last. */
  resend = NOTHING_TO_RESEND;
  /** Retained messages for new subscriptions that the peer was too slow to take at once. */
  readonly backlog = new MessageQueue();
  /** Messages dropped since the last event that told of them. */
  dropped = 0;
  droppedTick = -1;

  /** Remembers the packet identifier of a QoS 2 message until PUBREL. */
  hold(packetId: number): void {
    this.received ??= new Set();
    this.received.add(packetId);
  }

  /** What is on its way has to be sent again, in its order [MQTT-4.4.0-1]. */
  sendAgain(): void {
    this.resend = this.window.size === 0 ? NOTHING_TO_RESEND : this.window.inOrder().reverse();
  }

  /** The client is away: nothing can be sent again. */
  sendNothing(): void {
    this.resend = NOTHING_TO_RESEND;
  }

  /** Gives back what an idle client does not need. */
  rest(): void {
    this.window.rest();
    this.queue.rest();
    this.backlog.rest();
  }

  /** Nothing older waits, so that a new QoS 1 or 2 message may be sent at once without overtaking. */
  get upToDate(): boolean {
    return this.queue.length === 0 && this.resend.length === 0 && this.backlog.length === 0;
  }
}
