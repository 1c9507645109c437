import type { SimulatorDocument } from '@sallyport/model';
import { useState } from 'react';
import { Card } from '../page/card.tsx';
import { Notice } from '../page/frame.tsx';
import { useAction } from '../page/use-action.ts';
import { RefusalSteps } from './refusal-steps.tsx';

/** What the device can be made to do wrong, and how that ends. */
export function MisdeedCard({ device }: { readonly device: SimulatorDocument }) {
  const misbehave = useAction('misbehave');
  const [tried, setTried] = useState<string>();
  const { misdeeds, misdeed } = device;
  if (misdeeds.length === 0) return null;
  return (
    <Card title="Misbehave">
      <ul className="flex flex-col gap-2">
        {misdeeds.map(({ id, name, meaning }) => (
          <li key={id}>
            <button
              type="button"
              className="button-quiet w-full !justify-start text-left"
              disabled={misbehave.running}
              onClick={() => {
                setTried(id);
                void misbehave.run({ id });
              }}
            >
              {name}
            </button>
            <p className="quiet mt-0.5 text-xs">{meaning}</p>
            {misbehave.running && id === tried ? (
              <p className="mt-1 text-sm" role="status">
                It is doing it …
              </p>
            ) : null}
            {misbehave.problem !== undefined && id === tried ? <Notice {...misbehave.problem} /> : null}
            {misdeed?.name === name && !misbehave.running ? <Outcome misdeed={misdeed} /> : null}
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Outcome({ misdeed }: { readonly misdeed: NonNullable<SimulatorDocument['misdeed']> }) {
  const { name, outcome, cure, refusal } = misdeed;
  return (
    <div className="mt-2 flex flex-col gap-2" aria-live="polite">
      <Notice title={`${name}: ${outcome}`} {...(cure === undefined ? {} : { cure })} />
      {refusal === undefined ? null : <RefusalSteps refusal={refusal} />}
    </div>
  );
}
