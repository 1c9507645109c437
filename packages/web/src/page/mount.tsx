import { type ReactNode, StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import './style.css';

/** Puts a page into its document. */
export function mount(page: ReactNode): void {
  const place = document.getElementById('page');
  if (place === null) throw new Error('the document has no place for the page');
  createRoot(place).render(<StrictMode>{page}</StrictMode>);
}
