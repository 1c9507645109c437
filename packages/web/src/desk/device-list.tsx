import type { DeskDevice } from '@sallyport/model';
import { clock } from '../page/clock.ts';

/** Every device that was heard of; choosing one narrows the events and addresses the command. */
export function DeviceList({
  devices,
  chosen,
  onChoose,
}: {
  readonly devices: readonly DeskDevice[];
  readonly chosen: string | undefined;
  readonly onChoose: (device: string | undefined) => void;
}) {
  const sorted = [...devices].sort((a, b) => nameOf(a).localeCompare(nameOf(b)));
  return (
    <section className="card p-3" aria-labelledby="devices-title">
      <h2 id="devices-title" className="mb-2 text-sm font-semibold">
        Devices
      </h2>
      {sorted.length === 0 ? (
        <p className="quiet text-sm">No device has been heard of yet. It appears here when it connects or sends.</p>
      ) : (
        <ul className="flex flex-col gap-1">
          {sorted.map((device) => {
            const name = nameOf(device);
            return (
              <li key={name}>
                <button
                  type="button"
                  aria-pressed={chosen === name}
                  onClick={() => onChoose(chosen === name ? undefined : name)}
                  className="w-full cursor-pointer rounded-lg px-2 py-1.5 text-left hover:bg-stone-100 aria-pressed:bg-teal-50 aria-pressed:ring-1 aria-pressed:ring-teal-700 dark:hover:bg-stone-800 dark:aria-pressed:bg-teal-950 dark:aria-pressed:ring-teal-300"
                >
                  <span className="flex items-center gap-2">
                    <Presence connected={device.connected} />
                    <span className="min-w-0 truncate font-mono text-sm">{name}</span>
                  </span>
                  <span className="quiet block pl-5 text-xs tabular-nums">
                    {clock(device.lastSeen)} · {device.events} heard · {device.commands} sent
                  </span>
                </button>
              </li>
            );
          })}
        </ul>
      )}
    </section>
  );
}

function Presence({ connected }: { readonly connected: boolean | undefined }) {
  const [look, text] =
    connected === undefined
      ? ['border-2 border-stone-400', 'unknown whether connected']
      : connected
        ? ['bg-emerald-600 dark:bg-emerald-400', 'connected']
        : ['bg-stone-400 dark:bg-stone-600', 'not connected'];
  return (
    <span className={`size-2.5 shrink-0 rounded-full ${look}`} title={text}>
      <span className="sr-only">{text}</span>
    </span>
  );
}

function nameOf({ type, id }: DeskDevice): string {
  return `${type}/${id}`;
}
