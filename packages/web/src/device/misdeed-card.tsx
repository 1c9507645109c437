import type { SimulatorDocument } from '@sallyport/model';
import { Card } from '../page/card.tsx';
import { Notice } from '../page/frame.tsx';
import { useAction } from '../page/use-action.ts';
import { RefusalSteps } from './refusal-steps.tsx';

/** What the device can be made to do wrong, and how that ends. */
export function MisdeedCard({ device }: { readonly device: SimulatorDocument }) {
  const misbehave = useAction('misbehave');
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
              onClick={() => void misbehave.run({ id })}
            >
              {name}
            </button>
            <p className="quiet mt-0.5 text-xs">{meaning}</p>
          </li>
        ))}
      </ul>
      {misbehave.problem === undefined ? null : <Notice {...misbehave.problem} />}
      {misdeed === undefined ? null : (
        <div className="mt-3" aria-live="polite">
          <Notice
            title={`${misdeed.name}: ${misdeed.outcome}`}
            {...(misdeed.cure === undefined ? {} : { cure: misdeed.cure })}
          />
          {misdeed.refusal === undefined ? null : (
            <div className="mt-2">
              <RefusalSteps refusal={misdeed.refusal} />
            </div>
          )}
        </div>
      )}
    </Card>
  );
}
