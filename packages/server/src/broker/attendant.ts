import type { Principal } from '@sallyport/model';
import type { PublishFrame } from '@sallyport/mqtt';

/** A permitted message that somebody in the server listens to, before it goes to anybody. */
export interface Heard {
  readonly organisation: string;
  readonly principal: Principal;
  /** In bytes of its own. */
  readonly payload: Uint8Array;
}

/** `passed`: it goes its way. */
export type Attendant = (heard: Heard) => 'passed';

/** Who in the server listens to a topic of this principal. Asked once per topic and session. */
export type Attend = (topic: string, principal: Principal) => Attendant | undefined;

/** Lets the server hear a message. */
export function attended(
  { organisation, principal }: Omit<Heard, 'payload'>,
  { bytes, payloadStart, payloadEnd }: PublishFrame,
  attendant: Attendant,
): void {
  const payload = Uint8Array.prototype.slice.call(bytes, payloadStart, payloadEnd);
  attendant({ organisation, principal, payload });
}
