import type { SimulatorRefusal } from '@sallyport/model';

const LOOKS = {
  passed: { mark: '✓', said: 'passed', look: 'text-emerald-700 dark:text-emerald-300' },
  failed: { mark: '✗', said: 'failed', look: 'text-red-700 dark:text-red-300' },
  skipped: { mark: '·', said: 'was not reached', look: 'quiet' },
} as const;

/** A refusal as `sallyport explain` shows it: the way through the doors, what was compared with what, and the cure. */
export function RefusalSteps({ refusal }: { readonly refusal: SimulatorRefusal }) {
  const { ticket, what, meaning, steps, cure } = refusal;
  return (
    <section
      aria-label={`Ticket ${ticket}`}
      className="flex flex-col gap-2 rounded-lg border border-stone-200 p-3 text-sm dark:border-stone-700"
    >
      <p>
        <span className="mr-2 rounded bg-red-100 px-1.5 py-0.5 font-mono text-xs font-medium text-red-900 dark:bg-red-950 dark:text-red-200">
          {ticket}
        </span>
        <span className="break-words">{what}</span>
      </p>
      <p className="quiet text-xs">{meaning}</p>
      <ol className="flex flex-col gap-1.5">
        {steps.map(({ stage, outcome, text, compared, statements }, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the steps of a refusal never change
          <li key={index} className="flex gap-2">
            <span aria-hidden="true" className={LOOKS[outcome].look}>
              {LOOKS[outcome].mark}
            </span>
            <span className="min-w-0">
              <span className="font-medium">{stage}</span>
              <span className="sr-only"> {LOOKS[outcome].said}</span>
              <span className="quiet block text-xs break-words">{text}</span>
              {compared === undefined ? null : (
                <dl className="mt-1 grid grid-cols-[auto_minmax(0,1fr)] gap-x-2 rounded bg-stone-100 p-1.5 text-xs dark:bg-stone-950">
                  <dt className="quiet">compared</dt>
                  <dd className="break-words">{compared.what}</dd>
                  <dt className="quiet">found</dt>
                  <dd className="font-mono break-all">{compared.found}</dd>
                  <dt className="quiet">expected</dt>
                  <dd className="font-mono break-all">{compared.expected}</dd>
                </dl>
              )}
              {statements === undefined || statements.length === 0 ? null : (
                <span className="quiet block text-xs break-words">statements: {statements.join(', ')}</span>
              )}
            </span>
          </li>
        ))}
      </ol>
      <p className="text-sm">
        <span className="font-medium">What to do:</span> {cure}
      </p>
      <p className="quiet text-xs">
        In a terminal: <code className="font-mono">sallyport explain {ticket}</code>
      </p>
    </section>
  );
}
