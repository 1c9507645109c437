import type { DeskEvent } from '@sallyport/model';
import { type RefObject, useState } from 'react';
import { clock } from '../page/clock.ts';
import { PayloadText } from '../page/payload-text.tsx';
import { Protection } from './protection.tsx';

const SHOWN = 150;

/** What the devices say, newest first. */
export function EventTable({
  events,
  device,
  filter,
}: {
  readonly events: readonly DeskEvent[];
  /** Only of this one, if one was chosen. */
  readonly device: string | undefined;
  readonly filter: RefObject<HTMLInputElement | null>;
}) {
  const [words, setWords] = useState('');
  const [paused, setPaused] = useState<readonly DeskEvent[]>();
  const matching = (paused ?? events).filter((event) => fits(event, device, words)).slice(0, SHOWN);
  return (
    <section className="card flex min-h-0 flex-col p-3" aria-labelledby="events-title">
      <div className="mb-2 flex flex-wrap items-center gap-2">
        <h2 id="events-title" className="text-sm font-semibold">
          Events
        </h2>
        <span className="quiet text-xs">{device === undefined ? 'of all devices' : `of ${device}`}</span>
        <input
          ref={filter}
          type="search"
          value={words}
          onChange={(event) => setWords(event.target.value)}
          placeholder="Filter: words, all must occur"
          aria-label="Filter events"
          className="field min-w-0 flex-1 !py-1.5 sm:ml-auto sm:max-w-64"
        />
        <button
          type="button"
          className="button-quiet"
          aria-pressed={paused !== undefined}
          onClick={() => setPaused(paused === undefined ? events : undefined)}
        >
          {paused === undefined ? 'Hold' : 'Go on'}
        </button>
      </div>
      {matching.length === 0 ? (
        <p className="quiet py-6 text-center text-sm">
          {events.length === 0 ? 'Nothing has been said yet.' : 'Nothing fits the filter.'}
        </p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        <section className="max-h-[70dvh] overflow-auto" tabIndex={0} aria-label="Table of events">
          <table className="w-full border-collapse text-left text-sm">
            <thead className="quiet max-sm:sr-only sm:sticky top-0 bg-white text-xs dark:bg-stone-900">
              <tr>
                <th className="py-1 pr-3 font-medium">Time</th>
                <th className="py-1 pr-3 font-medium">Device</th>
                <th className="py-1 pr-3 font-medium">Event</th>
                <th className="py-1 font-medium">Content</th>
              </tr>
            </thead>
            <tbody>
              {matching.map((event) => (
                <tr
                  key={event.number}
                  className="border-t border-stone-100 align-top max-sm:flex max-sm:flex-wrap dark:border-stone-800"
                >
                  <td className="quiet py-1.5 pr-3 font-mono text-xs tabular-nums">{clock(event.at)}</td>
                  <td className="py-1.5 pr-3 font-mono text-xs whitespace-nowrap">
                    {event.type}/{event.id}
                  </td>
                  <td className="py-1.5 pr-3 font-mono text-xs whitespace-nowrap">{event.name}</td>
                  <td className="py-1.5 max-sm:w-full max-sm:pt-0">
                    <Protection protection={event.protection} />
                    {event.text === undefined ? null : <PayloadText text={event.text} />}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </section>
  );
}

function fits(event: DeskEvent, device: string | undefined, words: string): boolean {
  if (device !== undefined && `${event.type}/${event.id}` !== device) return false;
  const text = `${event.type}/${event.id} ${event.name} ${event.protection} ${event.text ?? ''}`.toLowerCase();
  return words
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}
