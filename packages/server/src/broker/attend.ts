import type { Principal } from '@sallyport/model';

/** One connection of one client: not the one before it, nor the one after. */
export interface Presence {
  readonly organisation: string;
  readonly clientId: string;
  readonly presence: number;
}

/** A permitted message that somebody in the server listens to, before it goes to anybody. */
export interface Heard extends Presence {
  readonly principal: Principal;
  readonly address: string;
  readonly assurance: 'full' | 'pending';
  /** In bytes of its own. */
  readonly payload: Uint8Array;
}

/** `taken`: it goes no further, and is acknowledged; `passed`: it goes its way; `refused`: as if the policy had denied it. */
export type Attendant = (heard: Heard) => 'taken' | 'passed' | 'refused';

/** Listens to messages between others, after everything that is demanded of them was checked; they go their way. */
export type Overhear = (topic: string) => ((heard: Overheard) => void) | undefined;

/** What is overheard. */
export type Overheard = Pick<Heard, 'organisation' | 'principal' | 'payload'>;

/** Who in the server listens to a topic of this principal. Asked once per topic and session. */
export type Attend = (topic: string, principal: Principal) => Attendant | undefined;
