/** What can be done about a suspicion, from the mildest to the hardest. All but the last can be taken back. */
export const RESPONSES = ['note', 'throttle', 'read-only', 'quarantine', 'suspend', 'deregister'] as const;
export type IncidentResponse = (typeof RESPONSES)[number];

/** What gives rise to an incident. */
export const INCIDENT_RULES = [
  'guessing',
  'names-another',
  'revoked-credential',
  'two-places',
  'takeover-war',
  'flapping',
  'flood',
  'denials',
] as const;
export type IncidentRule = (typeof INCIDENT_RULES)[number];

export interface IncidentEntry {
  readonly at: string;
  /** One sentence. */
  readonly text: string;
  readonly ticket?: string;
}

/** A suspicion with what led to it and what was done. */
export interface IncidentDocument {
  readonly id: string;
  readonly rule: IncidentRule;
  /** Written form of a principal whose identity was proven, or `address:NETWORK`. */
  readonly subject: string;
  readonly organisation?: string;
  readonly state: 'open' | 'contained' | 'resolved';
  /** What is done at the moment; absent: nothing but noting. */
  readonly containment?: IncidentResponse;
  readonly openedAt: string;
  readonly lastAt: string;
  /** How many events fed it. */
  readonly count: number;
  /** The last events and everything that was done, oldest first. */
  readonly timeline: readonly IncidentEntry[];
}
