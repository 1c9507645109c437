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
  'refused-command',
  'replayed-command',
  'refused-firmware',
  'unusual-rate',
  'unusual-size',
  'new-country',
] as const;
export type IncidentRule = (typeof INCIDENT_RULES)[number];

/** How grave an incident is, from the least to the most. */
export const SEVERITIES = ['low', 'medium', 'high'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** Ways by which incidents are told to people and programs. */
export const ALERT_CHANNELS = ['mail', 'web-hook', 'mqtt'] as const;
export type AlertChannelName = (typeof ALERT_CHANNELS)[number];

/** How one way of alerting stands. */
export interface AlertChannelDocument {
  readonly channel: AlertChannelName;
  /** Incidents of at least this severity are told. */
  readonly severity: Severity;
  /** Milliseconds that lie between two letters at least. */
  readonly interval: number;
  /** `untried`: nothing was sent since the start of the server. */
  readonly state: 'untried' | 'ok' | 'failing';
  /** Incidents that are not told yet. */
  readonly waiting: number;
  readonly deliveredAt?: string;
  /** Why the last attempt failed. */
  readonly problem?: string;
}

/** What became of a test of one way of alerting. */
export interface AlertTestDocument {
  readonly channel: AlertChannelName;
  readonly delivered: boolean;
  readonly problem?: string;
}

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
