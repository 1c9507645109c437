import type { PolicyVersion } from './records.ts';

export interface Policies {
  /** The version in force; undefined if the organisation never wrote one (then the built-in policy stands alone). */
  get(organisation: string): Promise<PolicyVersion | undefined>;
  /** Refused with `policy_invalid` and the positions of the problems; the policy in force stays. */
  put(input: { organisation: string; text: string; by: string }): Promise<PolicyVersion>;
  /** One version of the past; `not_found` if it is older than the 50 that are kept. */
  version(organisation: string, version: number): Promise<PolicyVersion>;
  /** Newest first, at most 50. */
  list(organisation: string): Promise<readonly PolicyVersion[]>;
}
