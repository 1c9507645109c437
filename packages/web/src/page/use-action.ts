import { useState } from 'react';
import { type ActionProblem, act } from './act.ts';

/** An action of the program behind the page, with what became of it. */
export function useAction(name: string): {
  readonly run: (request?: object) => Promise<boolean>;
  readonly running: boolean;
  readonly problem: ActionProblem | undefined;
} {
  const [running, setRunning] = useState(false);
  const [problem, setProblem] = useState<ActionProblem>();
  return {
    running,
    problem,
    async run(request = {}) {
      setRunning(true);
      const failed = await act(name, request);
      setProblem(failed);
      setRunning(false);
      return failed === undefined;
    },
  };
}
