import type { SimulatorBoot } from '@sallyport/model';
import { Card } from '../page/card.tsx';

const OUTCOMES: Readonly<Record<SimulatorBoot['outcome'], string>> = {
  booted: 'started',
  'rolled-back': 'went back to the image before',
  stopped: 'did not start',
};

/** The boot chain: each link verified by the one before it. */
export function BootChain({ boot }: { readonly boot: SimulatorBoot }) {
  const running =
    boot.version === undefined ? '' : `${boot.version} in slot ${boot.slot}${boot.trial ? ', on trial' : ''}`;
  return (
    <Card title="Boot chain" aside={OUTCOMES[boot.outcome]}>
      {running === '' ? null : <p className="mb-2 font-mono text-xs">{running}</p>}
      <ol className="flex flex-col gap-1">
        {boot.steps.map(({ stage, held, text }, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a report of a start never changes
          <li key={index} className="flex gap-2 text-sm">
            <span
              aria-hidden="true"
              className={held ? 'text-emerald-700 dark:text-emerald-300' : 'text-red-700 dark:text-red-300'}
            >
              {held ? '✓' : '✗'}
            </span>
            <span className="min-w-0">
              <span className="font-medium">{stage}</span>
              <span className="sr-only">{held ? ' held' : ' did not hold'}</span>
              <span className="quiet block text-xs break-words">{text}</span>
            </span>
          </li>
        ))}
      </ol>
      {boot.text === undefined ? null : <p className="mt-2 text-sm">{boot.text}</p>}
      {boot.outcome === 'stopped' ? (
        <p className="quiet mt-1 text-xs">
          It measures nothing and follows no command. It connects to report this, and takes the next release of its
          firmware.
        </p>
      ) : null}
    </Card>
  );
}
