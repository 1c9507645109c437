import { Failure, type Refusal } from '@sallyport/model';
import { connectAsOperator } from '../administration.ts';
import { refusalText } from '../explanation-text.ts';
import type { Invocation } from '../invocation.ts';

/** Asks the server why; undefined where no operator token is at hand. */
async function refusalOf(call: Pick<Invocation, 'options'>, ticket: string): Promise<Refusal | undefined> {
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
  const ticket = 'ticket' in failure && typeof failure.ticket === 'string' ? failure.ticket : undefined;
  const refusal = ticket === undefined ? undefined : await refusalOf(call, ticket);
  if (refusal) return call.output.text(refusalText(refusal), refusal);
  call.output.text(`${failure.message}\nWhat to do: ${failure.cure}`, {
    refused: failure.message,
    cure: failure.cure,
    ...(ticket === undefined ? {} : { ticket }),
  });
}
