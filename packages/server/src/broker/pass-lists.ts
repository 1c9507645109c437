import type { TraceStep } from '@sallyport/model';
import type { ListAnswer } from '../lists/judge-address.ts';

/** What the lists of an organisation say of an address; of the server, if no organisation is named. */
export type JudgeLists = (address: string, organisation: string | undefined) => ListAnswer;

/** Asks the lists that are named, and adds what they said to the steps: one step is enough where none is on. Answers the first that refuses. */
export function passLists(
  judge: JudgeLists,
  address: string,
  organisations: readonly (string | undefined)[],
  steps: TraceStep[],
): Extract<ListAnswer, { passes: false }> | undefined {
  let said = 0;
  for (const organisation of organisations) {
    const answer = judge(address, organisation);
    if (answer.step.outcome !== 'skipped') {
      steps.push(answer.step);
      said++;
    }
    if (!answer.passes) return answer;
  }
  if (said === 0) steps.push({ stage: 'lists', outcome: 'skipped', text: 'No list of addresses is on.' });
  return undefined;
}
