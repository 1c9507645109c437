import type { SimulatorStage } from '@sallyport/model';
import { Card } from '../page/card.tsx';
import { clock } from '../page/clock.ts';

/** What happened on the way to the server, as it happened. */
export function ConnectionStages({ stages }: { readonly stages: readonly SimulatorStage[] }) {
  return (
    <Card title="Connection">
      {stages.length === 0 ? (
        <p className="quiet text-sm">The device has not been started yet.</p>
      ) : (
        <ol className="flex flex-col gap-1.5 border-l border-stone-300 pl-3 dark:border-stone-600" aria-live="polite">
          {stages.map(({ at, stage, text }, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: stages are only ever added at the end
            <li key={index} className="text-sm">
              <span className="flex items-baseline gap-2">
                <span className="font-medium">{stage}</span>
                <span className="quiet ml-auto font-mono text-xs tabular-nums">{clock(at)}</span>
              </span>
              <span className="quiet block text-xs break-words">{text}</span>
            </li>
          ))}
        </ol>
      )}
    </Card>
  );
}
