import type { SimulatorDocument, SimulatorProof } from '@sallyport/model';
import { useState } from 'react';
import { Card } from '../page/card.tsx';
import { Notice } from '../page/frame.tsx';
import { useAction } from '../page/use-action.ts';

const RUNNING: ReadonlySet<string> = new Set(['connecting', 'online', 'offline']);

/** The ways in which the device can prove who it is, and its switch. */
export function AuthenticationCard({ device }: { readonly device: SimulatorDocument }) {
  const { proofs, connection } = device;
  const [picked, setPicked] = useState<string>();
  const [written, setWritten] = useState({ username: '', password: '' });
  const start = useAction('start');
  const stop = useAction('stop');
  const running = RUNNING.has(connection.state);
  const chosen = proofs.find(({ id }) => id === (picked ?? device.chosen));
  const problem = start.problem ?? stop.problem;
  return (
    <Card title="Authentication">
      <form
        className="flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          void start.run({ proof: chosen?.id, ...written });
        }}
      >
        <fieldset className="flex flex-col gap-1.5" disabled={running}>
          <legend className="sr-only">How the device proves who it is</legend>
          {proofs.map((proof) => (
            <ProofChoice
              key={proof.id}
              proof={proof}
              checked={proof.id === chosen?.id}
              onChoose={() => setPicked(proof.id)}
            />
          ))}
        </fieldset>
        {chosen?.fields.map((field) => (
          <label key={field} className="label">
            {field === 'username' ? 'User name' : 'Password'}
            <input
              className="field mt-1"
              type={field === 'password' ? 'password' : 'text'}
              autoComplete="off"
              value={written[field]}
              onChange={(event) => setWritten({ ...written, [field]: event.target.value })}
              disabled={running}
              required
            />
          </label>
        ))}
        {problem === undefined ? null : <Notice {...problem} />}
        <div className="flex gap-2">
          <button type="submit" className="button flex-1" disabled={running || start.running || !chosen?.available}>
            Start
          </button>
          <button
            type="button"
            className="button-quiet flex-1"
            disabled={!running || stop.running}
            onClick={() => void stop.run()}
          >
            Stop
          </button>
        </div>
      </form>
    </Card>
  );
}

function ProofChoice({
  proof,
  checked,
  onChoose,
}: {
  readonly proof: SimulatorProof;
  readonly checked: boolean;
  readonly onChoose: () => void;
}) {
  return (
    <label className="flex cursor-pointer gap-2 rounded-lg border border-stone-200 p-2 has-checked:border-teal-700 has-checked:bg-teal-50 has-disabled:cursor-default dark:border-stone-700 dark:has-checked:border-teal-300 dark:has-checked:bg-teal-950">
      <input
        type="radio"
        name="proof"
        className="mt-1 accent-teal-700"
        checked={checked}
        disabled={!proof.available}
        onChange={onChoose}
      />
      <span>
        <span className="block text-sm font-medium">{proof.name}</span>
        <span className="quiet block text-xs">{proof.meaning}</span>
      </span>
    </label>
  );
}
