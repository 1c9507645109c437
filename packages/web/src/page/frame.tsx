import type { SimulatorConnection } from '@sallyport/model';
import type { ReactNode } from 'react';
import { ThemeSwitch } from './theme-switch.tsx';
import type { Watched } from './use-document.ts';

const LOOKS: Readonly<Record<SimulatorConnection['state'], { readonly dot: string; readonly text: string }>> = {
  off: { dot: 'bg-stone-400', text: 'switched off' },
  refused: { dot: 'bg-red-600 dark:bg-red-400', text: 'refused' },
  connecting: { dot: 'bg-amber-500', text: 'connecting' },
  online: { dot: 'bg-emerald-600 dark:bg-emerald-400', text: 'online' },
  offline: { dot: 'bg-amber-500', text: 'offline, trying again' },
  ended: { dot: 'bg-red-600 dark:bg-red-400', text: 'ended' },
};

/** Header, connection and notices: what both pages have in common. */
export function Frame({
  title,
  connection,
  lost,
  children,
}: {
  readonly title: string;
  readonly connection: SimulatorConnection | undefined;
  readonly lost: Watched<unknown>['lost'];
  readonly children: ReactNode;
}) {
  return (
    <div className="mx-auto flex min-h-dvh max-w-screen-2xl flex-col gap-3 p-3 sm:p-5">
      <header className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <h1 className="flex items-center gap-2 text-lg font-semibold tracking-tight">
          <Gate />
          {title}
        </h1>
        <span className="ml-auto sm:order-last">
          <ThemeSwitch />
        </span>
        {connection ? <Connection connection={connection} /> : null}
      </header>
      {lost === undefined ? null : <Lost lost={lost} />}
      {connection?.problem === undefined ? null : (
        <Notice title={connection.problem} {...(connection.cure === undefined ? {} : { cure: connection.cure })} />
      )}
      <main className="flex min-h-0 flex-1 flex-col">{children}</main>
    </div>
  );
}

function Connection({ connection }: { readonly connection: SimulatorConnection }) {
  const { dot, text } = LOOKS[connection.state];
  return (
    <p className="flex min-w-0 items-center gap-2 text-sm max-sm:w-full" role="status">
      <span className={`size-2.5 shrink-0 rounded-full ${dot}`} aria-hidden="true" />
      <span className="font-medium whitespace-nowrap">{text}</span>
      <span className="quiet truncate font-mono text-xs">
        {connection.clientId} at {connection.server}
      </span>
    </p>
  );
}

function Lost({ lost }: { readonly lost: NonNullable<Watched<unknown>['lost']> }) {
  return lost === 'no key' ? (
    <Notice title="This page has no key." cure="Open the address that the command printed, with everything behind #." />
  ) : (
    <Notice
      title="The program behind this page has ended."
      cure="What you see is what it showed last. Start it again, and open the address that it prints."
    />
  );
}

/** Something that went wrong, and what to do about it. */
export function Notice({ title, cure }: { readonly title: string; readonly cure?: string }) {
  return (
    <div
      role="alert"
      className="rounded-lg border border-amber-400 bg-amber-50 px-3 py-2 text-sm text-amber-950 dark:border-amber-700 dark:bg-amber-950 dark:text-amber-100"
    >
      <p className="font-medium whitespace-pre-line wrap-anywhere">{title}</p>
      {cure === undefined ? null : <p className="mt-0.5">{cure}</p>}
    </div>
  );
}

function Gate() {
  return (
    <svg viewBox="0 0 16 16" className="size-5 fill-teal-700 dark:fill-teal-300" aria-hidden="true">
      <path d="M2 14V6a6 6 0 0 1 12 0v8h-3V7a3 3 0 0 0-6 0v7z" />
    </svg>
  );
}
