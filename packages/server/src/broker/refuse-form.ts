import { REASONS, type Refusal } from '@sallyport/model';
import type { BrokerContext } from './context.ts';
import { boundedRefusal } from './denial.ts';
import type { FormProblem, TopicDemand } from './payload-demand.ts';
import type { Session } from './session.ts';

/** The refusal of a message whose payload is not of the form that the device type demands. */
export function refuseForm(
  context: BrokerContext,
  session: Session,
  action: 'publish' | 'will',
  topic: string,
  { commands, encryption }: TopicDemand,
  { reason, text }: FormProblem,
): Refusal {
  const row = REASONS[reason];
  const isCommand = reason === 'command_not_signed' || reason === 'command_without_uid';
  const expected = isCommand ? `commands: ${commands}` : `encryption: ${encryption}`;
  return boundedRefusal(context, session, 'publish', () =>
    context.refuse({
      action,
      reason,
      reasonCode: row.reasonCode,
      organisation: session.organisation,
      principal: session.principalName,
      clientId: session.clientId,
      address: session.lastAddress,
      resource: topic,
      steps: [
        {
          stage: row.stage,
          outcome: 'failed',
          text: 'The form of the payload is not that which the device type demands.',
          compared: { what: 'form of the payload', found: text, expected },
        },
      ],
      cure: row.cure,
    }),
  );
}
