import type { IncidentDocument, Page } from '@sallyport/model';

/** What the server can do to a principal. Each is done, and holds in live sessions, when the promise resolves. */
export interface Containment {
  /** Undefined: nothing is held against it any more. */
  hold(principal: string, level: 'throttle' | 'read-only' | 'quarantine' | undefined): Promise<void>;
  suspend(principal: string, by: string): Promise<void>;
  resume(principal: string, by: string): Promise<void>;
  /** Cannot be taken back. */
  deregister(principal: string, by: string): Promise<void>;
}

export interface IncidentFilter {
  readonly organisation?: string;
  readonly state?: string;
  readonly limit: number;
  readonly after?: string;
}

/** What keeps incidents over a restart. */
export interface IncidentStore {
  /** Those that are not resolved. */
  load(): Promise<readonly IncidentDocument[]>;
  /** All of them or none. */
  save(incidents: readonly IncidentDocument[]): Promise<void>;
  get(id: string): Promise<IncidentDocument | undefined>;
  /** Newest first. */
  list(filter: IncidentFilter): Promise<Page<IncidentDocument>>;
}
