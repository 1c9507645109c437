import type { SimulatorDocument } from '@sallyport/model';
import { Card } from '../page/card.tsx';
import { clock } from '../page/clock.ts';
import { Notice } from '../page/frame.tsx';
import { PayloadText } from '../page/payload-text.tsx';
import { useAction } from '../page/use-action.ts';

const SEALED = 'bg-violet-100 text-violet-900 dark:bg-violet-950 dark:text-violet-200';
const CLEAR = 'bg-amber-100 text-amber-900 dark:bg-amber-950 dark:text-amber-200';

/** The last reading twice: what the device says, and what everybody on the way sees of it. */
export function PayloadCard({ device }: { readonly device: SimulatorDocument }) {
  const seal = useAction('seal');
  const { payload, sealing } = device;
  return (
    <Card title="Payload" aside={payload === undefined ? undefined : clock(payload.at)}>
      {sealing === undefined ? (
        <p className="quiet mb-2 text-xs">
          This device has no keys to seal with: its readings go over TLS, and the server can read them.
        </p>
      ) : (
        <label className="mb-3 flex cursor-pointer items-center gap-2 text-sm">
          <input
            type="checkbox"
            className="size-4 accent-teal-700"
            checked={sealing.on}
            disabled={seal.running}
            onChange={(event) => void seal.run({ on: event.target.checked })}
          />
          Seal for {sealing.for.join(', ')}
        </label>
      )}
      {seal.problem === undefined ? null : <Notice {...seal.problem} />}
      {payload === undefined ? (
        <p className="quiet text-sm">Nothing has been sent yet.</p>
      ) : (
        <div className="grid gap-3 sm:grid-cols-2">
          <div className="min-w-0">
            <h3 className="label mb-1">What the device says</h3>
            <p className="rounded-lg bg-stone-100 p-2 leading-5 dark:bg-stone-950">
              <PayloadText text={payload.clear} />
            </p>
          </div>
          <div className="min-w-0">
            <h3 className="label mb-1">What goes on its way</h3>
            {payload.wire.map(({ format, size, text, sealedFor }) => (
              <div key={`${format} ${sealedFor}`} className="mb-2 rounded-lg bg-stone-100 p-2 dark:bg-stone-950">
                <p className="mb-1 text-xs">
                  <span
                    className={`mr-2 rounded px-1.5 py-0.5 font-medium ${sealedFor === undefined ? CLEAR : SEALED}`}
                  >
                    {sealedFor === undefined ? 'clear' : 'sealed'}
                  </span>
                  <span className="quiet">
                    {sealedFor === undefined ? '' : `for ${sealedFor}, `}
                    {format}, {size} bytes
                  </span>
                </p>
                <PayloadText text={text} />
              </div>
            ))}
          </div>
        </div>
      )}
    </Card>
  );
}
