import * as Tabs from '@radix-ui/react-tabs';
import type { DeskDocument } from '@sallyport/model';
import { useEffect, useRef, useState } from 'react';
import { Frame } from '../page/frame.tsx';
import { useDocument } from '../page/use-document.ts';
import { CommandPanel } from './command-panel.tsx';
import { DeviceList } from './device-list.tsx';
import { EventTable } from './event-table.tsx';

const PANELS = [
  { id: 'events', name: 'Events' },
  { id: 'devices', name: 'Devices' },
  { id: 'commands', name: 'Commands' },
] as const;
type Panel = (typeof PANELS)[number]['id'];

/** The application desk: side by side on a wide screen, one panel at a time on a narrow one. */
export function DeskPage() {
  const { document: desk, lost } = useDocument<DeskDocument>();
  const [panel, setPanel] = useState<Panel>('events');
  const [chosen, setChosen] = useState<string>();
  const filter = useRef<HTMLInputElement>(null);
  const command = useRef<HTMLInputElement>(null);
  useShortcuts({
    '/': () => {
      setPanel('events');
      filter.current?.focus();
    },
    c: () => {
      setPanel('commands');
      setTimeout(() => command.current?.focus());
    },
    d: () => setPanel('devices'),
    e: () => setPanel('events'),
  });
  return (
    <Frame title="Application desk" connection={desk?.connection} lost={lost}>
      {desk === undefined ? (
        <p className="quiet p-4 text-sm">{lost === undefined ? 'Loading…' : null}</p>
      ) : (
        <Tabs.Root
          value={panel}
          onValueChange={(value) => setPanel(value as Panel)}
          className="flex min-h-0 flex-1 flex-col gap-3"
        >
          <Tabs.List className="flex gap-1 lg:hidden" aria-label="Panels">
            {PANELS.map(({ id, name }) => (
              <Tabs.Trigger
                key={id}
                value={id}
                className="button-quiet flex-1 data-[state=active]:border-teal-700 data-[state=active]:bg-teal-50 data-[state=active]:font-medium dark:data-[state=active]:border-teal-300 dark:data-[state=active]:bg-teal-950"
              >
                {name}
              </Tabs.Trigger>
            ))}
          </Tabs.List>
          <div className="grid min-h-0 flex-1 gap-3 lg:grid-cols-[16rem_minmax(0,1fr)_22rem]">
            <Tabs.Content value="devices" forceMount className="data-[state=inactive]:max-lg:hidden">
              <DeviceList devices={desk.devices} chosen={chosen} onChoose={setChosen} />
            </Tabs.Content>
            <Tabs.Content value="events" forceMount className="min-w-0 data-[state=inactive]:max-lg:hidden">
              <EventTable events={desk.events} device={chosen} filter={filter} />
            </Tabs.Content>
            <Tabs.Content value="commands" forceMount className="data-[state=inactive]:max-lg:hidden">
              <CommandPanel desk={desk} device={chosen} name={command} />
            </Tabs.Content>
          </div>
          <p className="quiet hidden text-xs lg:block">
            Keys: <Key>/</Key> filter events, <Key>c</Key> write a command, <Key>Tab</Key> and <Key>Enter</Key> choose a
            device.
          </p>
        </Tabs.Root>
      )}
    </Frame>
  );
}

function Key({ children }: { readonly children: string }) {
  return (
    <kbd className="rounded border border-stone-300 bg-white px-1 font-mono dark:border-stone-600 dark:bg-stone-900">
      {children}
    </kbd>
  );
}

/** Single keys, wherever nobody is writing. */
function useShortcuts(actions: Readonly<Record<string, () => void>>): void {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const writing = event.target instanceof HTMLElement && event.target.matches('input, textarea, select');
      const action = actions[event.key];
      if (writing || event.ctrlKey || event.metaKey || event.altKey || action === undefined) return;
      event.preventDefault();
      action();
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  });
}
