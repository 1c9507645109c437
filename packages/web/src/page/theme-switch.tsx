import { useEffect, useState } from 'react';

const NAME = 'sallyport-theme';

/** Light or dark: as the system says until the person says otherwise. */
export function ThemeSwitch() {
  const [dark, setDark] = useState(() => {
    const chosen = localStorage.getItem(NAME);
    return chosen === null ? matchMedia('(prefers-color-scheme: dark)').matches : chosen === 'dark';
  });
  useEffect(() => {
    document.documentElement.classList.toggle('dark', dark);
    document.documentElement.style.colorScheme = dark ? 'dark' : 'light';
  }, [dark]);
  return (
    <button
      type="button"
      className="button-quiet"
      onClick={() => {
        localStorage.setItem(NAME, dark ? 'light' : 'dark');
        setDark(!dark);
      }}
    >
      {dark ? 'Light' : 'Dark'}
      <span className="sr-only"> theme</span>
    </button>
  );
}
