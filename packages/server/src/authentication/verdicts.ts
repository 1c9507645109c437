import type { RefusalReason, TraceStep } from '@sallyport/model';
import type { Grounds, Verdict } from './authenticator.ts';

export type Accepted = Extract<Verdict, { outcome: 'accepted' }>;
export type Rejected = Extract<Verdict, { outcome: 'rejected' }>;

export function accepted(grounds: Grounds, step: TraceStep): Accepted {
  return { outcome: 'accepted', grounds, step };
}

export function rejected(
  reason: RefusalReason,
  text: string,
  extra: { readonly compared?: NonNullable<TraceStep['compared']>; readonly cure?: string | undefined } = {},
): Rejected {
  const step: TraceStep = {
    stage: 'authentication',
    outcome: 'failed',
    text,
    ...(extra.compared ? { compared: extra.compared } : {}),
  };
  return { outcome: 'rejected', reason, step, ...(extra.cure === undefined ? {} : { cure: extra.cure }) };
}

export function abstained(text: string): Verdict {
  return { outcome: 'abstained', step: { stage: 'authentication', outcome: 'skipped', text } };
}
