import { Allowance } from './allowance.ts';
import type { BrokerLimits } from './limits.ts';
import { RetainedMessages } from './retained.ts';
import { Router } from './router.ts';
import type { Session } from './session.ts';

/**
 * What belongs to one organisation. Nothing in it refers to another one: a message of one organisation cannot meet
 * another's subscription, nor a client identifier another's session.
 */
export class Realm {
  readonly organisation: string;
  readonly router = new Router();
  readonly retained: RetainedMessages;
  /** By client identifier. */
  readonly sessions = new Map<string, Session>();
  /** Sessions with a connection. */
  connected = 0;
  /** What its clients may send together. */
  readonly traffic = new Allowance();

  constructor(organisation: string, limits: BrokerLimits) {
    this.organisation = organisation;
    this.traffic.grant(limits.organisationMessageRate, limits.organisationByteRate);
    this.retained = new RetainedMessages(limits);
  }

  get empty(): boolean {
    const { abroad, size } = this.router;
    return this.sessions.size === 0 && this.retained.size === 0 && size === 0 && abroad?.empty !== false;
  }
}
