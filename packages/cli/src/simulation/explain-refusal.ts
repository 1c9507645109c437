import { Failure, type Refusal } from '@sallyport/model';
import { connectAsOperator } from '../administration.ts';
import { refusalText } from '../explanation-text.ts';
import type { Invocation } from '../invocation.ts';

/** Asks the server why; undefined where there is no ticket or no operator token at hand. */
export async function refusalOf(call: Pick<Invocation, 'options'>, failure: Failure): Promise<Refusal | undefined> {
  const ticket = ticketOf(failure);
  if (ticket === undefined) return undefined;
  try {
    const management = connectAsOperator(call.options);
    try {
      return await management.explainTicket(ticket);
    } finally {
      management.close();
    }
  } catch (error) {
    // Whoever runs a device is seldom an operator.
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

/** Shows a refusal with all that can be known of it from here. */
export async function showRefusal(call: Invocation, failure: Failure): Promise<void> {
  const ticket = ticketOf(failure);
  const refusal = await refusalOf(call, failure);
  if (refusal) return call.output.text(refusalText(refusal), refusal);
  call.output.text(`${failure.message}\nWhat to do: ${failure.cure}`, {
    refused: failure.message,
    cure: failure.cure,
    ...(ticket === undefined ? {} : { ticket }),
  });
}

function ticketOf(failure: Failure): string | undefined {
  return 'ticket' in failure && typeof failure.ticket === 'string' ? failure.ticket : undefined;
}
