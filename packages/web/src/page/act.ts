import { pageKey } from './page-key.ts';

/** Why an action was not done, and what to do about it. */
export interface ActionProblem {
  readonly title: string;
  readonly cure?: string;
}

/** Asks the program behind the page for something. Undefined if it was done. */
export async function act(name: string, request: object): Promise<ActionProblem | undefined> {
  try {
    const response = await fetch(`/actions/${name}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${pageKey()}`, 'content-type': 'application/json' },
      body: JSON.stringify(request),
    });
    return response.ok ? undefined : ((await response.json()) as ActionProblem);
  } catch {
    return {
      title: 'The program behind this page does not answer.',
      cure: 'Start it again, and open the address that it prints.',
    };
  }
}
