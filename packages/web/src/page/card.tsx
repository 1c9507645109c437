import type { ReactNode } from 'react';

/** A titled part of a page. */
export function Card({
  title,
  aside,
  children,
}: {
  readonly title: string;
  readonly aside?: ReactNode;
  readonly children: ReactNode;
}) {
  return (
    <section className="card p-3" aria-label={title}>
      <div className="mb-2 flex items-baseline gap-2">
        <h2 className="text-sm font-semibold">{title}</h2>
        {aside === undefined ? null : <span className="quiet ml-auto text-xs">{aside}</span>}
      </div>
      {children}
    </section>
  );
}
