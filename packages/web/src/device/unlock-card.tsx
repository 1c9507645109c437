import type { SimulatorUnlock } from '@sallyport/model';
import { useEffect, useState } from 'react';
import { Card } from '../page/card.tsx';
import { Notice } from '../page/frame.tsx';
import { useAction } from '../page/use-action.ts';

/** Where the person types the one-time code that the owner was sent. */
export function UnlockCard({ unlock }: { readonly unlock: SimulatorUnlock }) {
  const [code, setCode] = useState('');
  const confirm = useAction('unlock');
  const left = useSecondsLeft(unlock.until);
  const waiting = unlock.state === 'waiting';
  return (
    <Card title="One-time code" aside={waiting && left !== undefined ? `${minutes(left)} left` : unlock.state}>
      <p className="mb-2 text-sm" aria-live="polite">
        {unlock.text}
      </p>
      {waiting ? (
        <form
          className="flex flex-col gap-2"
          onSubmit={(event) => {
            event.preventDefault();
            void confirm.run({ code }).then(() => setCode(''));
          }}
        >
          <label className="label">
            Code that the owner received
            <input
              className="field mt-1 font-mono text-lg tracking-[0.3em]"
              inputMode="numeric"
              autoComplete="one-time-code"
              pattern="[0-9]{4,10}"
              title="digits"
              value={code}
              onChange={(event) => setCode(event.target.value)}
              required
            />
          </label>
          {unlock.attemptsLeft === undefined ? null : (
            <p className="quiet text-xs">
              {unlock.attemptsLeft === 1 ? 'One try is left.' : `${unlock.attemptsLeft} tries are left.`}
            </p>
          )}
          {confirm.problem === undefined ? null : <Notice {...confirm.problem} />}
          <button type="submit" className="button" disabled={confirm.running}>
            Confirm
          </button>
        </form>
      ) : null}
    </Card>
  );
}

function minutes(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

function useSecondsLeft(until: number | undefined): number | undefined {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (until === undefined) return;
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, [until]);
  return until === undefined ? undefined : Math.max(0, Math.ceil((until - now) / 1000));
}
