import type { SecurityLevel } from './security-level.ts';

/** What a level would mean for a device or application, or for a live session. */
export interface ForecastRow {
  /** Written form of the principal. */
  readonly principal: string;
  /** Of a session. */
  readonly clientId?: string;
  readonly outcome: 'complies' | 'fails' | 'unknown';
  readonly why: string;
}

/** What would come of a connection-security level before it is saved. */
export interface SecurityForecast {
  readonly organisation: string;
  /** Absent: the default of the organisation, which holds where a device type says nothing. */
  readonly type?: string;
  readonly level: SecurityLevel;
  readonly principals: ForecastCounts;
  readonly sessions: ForecastCounts;
  /** True if there were more than could be looked at: the counts are of the first ones. */
  readonly truncated: boolean;
}

export interface ForecastCounts {
  readonly complies: number;
  readonly fails: number;
  readonly unknown: number;
  /** Those that fail first, then the unknown ones; at most 200. */
  readonly rows: readonly ForecastRow[];
}
