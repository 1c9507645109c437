import type { IncidentRule } from '@sallyport/model';

/** One event that gives rise to an incident, or feeds it. */
export interface Suspicion {
  readonly rule: IncidentRule;
  /** Written form of a principal that has proven who it is, or `address:NETWORK`: nobody is suspected for what others say. */
  readonly subject: string;
  readonly organisation?: string;
  readonly text: string;
  readonly ticket?: string;
}
