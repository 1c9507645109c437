const NAME = 'sallyport-page-key';

/** The key from the printed address; kept for a reload of this tab, and taken out of what a person might copy. */
export function pageKey(): string {
  const given = location.hash.slice(1);
  if (given !== '') {
    sessionStorage.setItem(NAME, given);
    history.replaceState(null, '', location.pathname);
  }
  return sessionStorage.getItem(NAME) ?? '';
}
