import { randomBytes } from 'node:crypto';

/** What a client of the bench may do: a `pub` writes its own topic, a `sub` reads its own, a `crowd` reads all. */
export type Role = 'pub' | 'sub' | 'crowd';

/** The client's side of an authentication by AUTH packets. */
export interface Exchange {
  readonly method: string;
  readonly first: string;
  answer(data: Buffer): string;
}

export interface Identity {
  readonly role: Role;
  readonly index: number;
  readonly clientId: string;
  readonly username: string;
  readonly password: string;
  /** PEM of key and certificate that it shows in the handshake; user name and password are not sent then. */
  readonly pair?: { readonly key: string; readonly cert: string };
  /** Logs in by an exchange of MQTT 5 instead of user name and password; made anew for each connection. */
  readonly exchange?: () => Exchange;
}

/** How many clients of each role every peer knows. */
export interface Population {
  readonly pub: number;
  readonly sub: number;
  readonly crowd: number;
}

export const ROLES: readonly Role[] = ['pub', 'sub', 'crowd'];

/** The topic that publisher `index` writes to. */
export function topicOf(index: number | string): string {
  return `load/${index}`;
}

/** The filter that covers the topics of all publishers. */
export const ALL_TOPICS = 'load/+';

/** The one rule that every peer enforces for every message: may this client do this on this topic name or filter? */
export function isPermitted(role: Role, index: number, action: 'publish' | 'read', topic: string): boolean {
  if (role === 'pub') return action === 'publish' && topic === topicOf(index);
  if (role === 'sub') return action === 'read' && topic === topicOf(index);
  return action === 'read' && topic.startsWith('load/') && topic.indexOf('/', 5) < 0;
}

/** 32 random letters and digits: within what a chosen device token may look like. */
function randomPassword(): string {
  return randomBytes(20).toString('hex').slice(0, 32);
}

/** Names for peers that know clients by user name. */
export function plainIdentities(population: Population): Identity[] {
  return ROLES.flatMap((role) =>
    Array.from({ length: population[role] }, (_, index) => {
      const name = `${role}-${index}`;
      return { role, index, clientId: name, username: name, password: randomPassword() };
    }),
  );
}
