import { type Explanation, REASONS, type Refusal, type RefusalReason, STAGES, type TraceStep } from '@sallyport/model';
import { z } from 'zod';

const text = z.string();

/** One step of the way through the doors. */
const stepAnswer: z.ZodType<TraceStep> = z
  .object({
    stage: z.enum(STAGES),
    outcome: z.enum(['passed', 'failed', 'skipped']),
    text: text.describe('What was looked at and what came of it.'),
    compared: z.object({ what: text, found: text, expected: text }).exactOptional(),
    statements: z.array(text).describe('Ids of the policy statements that decided.').exactOptional(),
  })
  .meta({ id: 'TraceStep' });

export const refusalAnswer: z.ZodType<Refusal> = z
  .object({
    ticket: text,
    at: text.describe('ISO 8601, UTC.'),
    lastAt: text.describe('When it was met last; ISO 8601, UTC.'),
    count: z.number().describe('How often it was met.'),
    action: z.enum(['handshake', 'connect', 'session', 'publish', 'subscribe', 'receive', 'will', 'manage']),
    reason: z.enum(Object.keys(REASONS) as [RefusalReason, ...RefusalReason[]]),
    reasonCode: z.number().describe('Code that the peer was told.'),
    organisation: text.exactOptional(),
    principal: text.exactOptional(),
    clientId: text.exactOptional(),
    address: text.exactOptional(),
    listener: text.exactOptional(),
    resource: text.exactOptional(),
    steps: z.array(stepAnswer),
    cure: text,
  })
  .meta({
    id: 'Refusal',
    examples: [
      {
        ticket: '7K2M9Q',
        at: '2026-01-31T12:00:00.000Z',
        lastAt: '2026-01-31T12:00:00.000Z',
        count: 1,
        action: 'connect',
        reason: 'wrong_secret',
        reasonCode: 135,
        clientId: 'd:demo:pump:pump-7',
        steps: [{ stage: 'authentication', outcome: 'failed', text: 'The token is not the one on record.' }],
        cure: REASONS.wrong_secret.cure,
      },
    ],
  });

export const actionAsked = z.enum(['connect', 'publish', 'subscribe', 'receive']);
export const transportAsked = z.enum(['tcp', 'tls', 'ws', 'wss']);

export const explanationAnswer: z.ZodType<Explanation> = z
  .object({
    question: z.object({
      as: text,
      action: actionAsked,
      resource: text,
      clientId: text.exactOptional(),
      transport: transportAsked.exactOptional(),
      address: text.exactOptional(),
    }),
    effect: z.enum(['permit', 'deny']),
    resolved: text.describe('The full topic that the resource stands for.'),
    statements: z.array(text).describe('Ids of the deciding statements.'),
    steps: z.array(stepAnswer),
    cure: text.describe('What to do to be permitted.').exactOptional(),
  })
  .meta({ id: 'Explanation' });
