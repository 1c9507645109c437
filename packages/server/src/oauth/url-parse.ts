/** oidc-provider asks `URL.parse`, which Node has from version 22.1 on (WHATWG URL, section 6.1). Loaded before it. */
if (typeof URL.parse !== 'function') {
  Object.defineProperty(URL, 'parse', {
    configurable: true,
    writable: true,
    value(text: string, base?: string): URL | null {
      return URL.canParse(text, base) ? new URL(text, base) : null;
    },
  });
}
