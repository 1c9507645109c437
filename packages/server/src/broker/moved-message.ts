import type { Message } from './message.ts';

/** A message that waits in a session that comes from another worker, or is on its way to its client. */
export interface MovedMessage {
  /** In the session store; 0: it is not there. */
  readonly position: number;
  /** Undefined once the client has it and only the packet identifier is kept. */
  readonly message: Message | undefined;
  readonly flags: number;
  readonly identifiers: Buffer | undefined;
  /** 0 while it waits in the queue. */
  readonly packetId: number;
  readonly state: number;
}
