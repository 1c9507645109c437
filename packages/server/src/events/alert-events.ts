import type { AlertChannelName } from '@sallyport/model';

/** What becomes of the alerts of incidents. */
export type AlertEvent =
  | {
      /** A letter was taken; `incidents` are in it, and so many `more` are only counted in it. */
      readonly type: 'alert.delivered';
      readonly channel: AlertChannelName;
      readonly incidents: number;
      readonly more: number;
    }
  | {
      /** Told at the first failure, and again when the way is left alone for a while. */
      readonly type: 'alert.failing';
      readonly channel: AlertChannelName;
      readonly problem: string;
      /** Attempts that have failed in a row. */
      readonly failures: number;
    }
  | { readonly type: 'alert.recovered'; readonly channel: AlertChannelName };
