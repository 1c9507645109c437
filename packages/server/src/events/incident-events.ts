import type { IncidentResponse, IncidentRule } from '@sallyport/model';

/** What becomes of suspicions. */
export interface IncidentEvent {
  readonly type: 'incident.opened' | 'incident.contained' | 'incident.released' | 'incident.resolved';
  readonly incident: string;
  readonly rule: IncidentRule;
  /** Written form of a principal, or `address:NETWORK`. */
  readonly subject: string;
  readonly organisation?: string;
  /** What was done, or in a dry run would have been. */
  readonly response?: IncidentResponse;
  readonly dryRun?: boolean;
  /** Written form of the operator, or `system`. */
  readonly by: string;
}
