import type { AlertChannelName, IncidentDocument, Severity } from '@sallyport/model';

/** An incident as it is told: its first event and the last ones. */
export type AlertedIncident = IncidentDocument & { readonly severity: Severity };

/** What is told at once: as many incidents as fit, and how many more there are. */
export interface AlertLetter {
  /** Asked for by an operator: nothing has happened. */
  readonly test: boolean;
  readonly incidents: readonly AlertedIncident[];
  readonly more: number;
}

/** One way of telling. */
export interface AlertWay {
  readonly channel: AlertChannelName;
  /** What is less grave is not told by it. */
  readonly severity: Severity;
  /** Milliseconds between two letters at least. */
  readonly interval: number;
  /** Rejects if the letter was not taken. */
  readonly send: (letter: AlertLetter) => Promise<void>;
}
