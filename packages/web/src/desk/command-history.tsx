import type { DeskCommand } from '@sallyport/model';
import { clock } from '../page/clock.ts';
import { PayloadText } from '../page/payload-text.tsx';

const LOOKS: Readonly<Record<DeskCommand['outcome'], string>> = {
  sending: 'text-stone-600 dark:text-stone-400',
  'accepted by the server': 'text-emerald-800 dark:text-emerald-300',
  'refused by the server': 'text-red-800 dark:text-red-300',
};

/** The commands that were sent, newest first, with what server and device said to them. */
export function CommandHistory({ commands }: { readonly commands: readonly DeskCommand[] }) {
  if (commands.length === 0) return null;
  return (
    <div className="card p-3">
      <h3 className="mb-2 text-sm font-semibold">Sent</h3>
      <ol className="flex max-h-[45dvh] flex-col gap-2 overflow-auto" aria-live="polite">
        {commands.map((command) => (
          <li
            key={command.number}
            className="border-t border-stone-100 pt-2 text-sm first:border-t-0 dark:border-stone-800"
          >
            <p className="flex flex-wrap items-baseline gap-x-2">
              <span className="quiet font-mono text-xs tabular-nums">{clock(command.at)}</span>
              <span className="font-mono text-xs">
                {command.type}/{command.id}
              </span>
              <span className="font-mono text-xs font-medium">{command.name}</span>
              <span className="quiet text-xs">{command.manner}</span>
            </p>
            <p>
              <PayloadText text={command.text} />
            </p>
            <p className={`text-xs ${LOOKS[command.outcome]}`}>
              {command.outcome}
              {command.problem === undefined ? null : `: ${command.problem}`}
            </p>
            {command.answer === undefined ? null : <p className="text-xs">Device: {command.answer}</p>}
          </li>
        ))}
      </ol>
    </div>
  );
}
