/** One element of DER: its tag, and where it and its content lie. */
export interface Element {
  readonly tag: number;
  readonly start: number;
  readonly content: number;
  readonly end: number;
}

/** Undefined if the elements do not fill their parent exactly. */
export function childrenOf(der: Uint8Array, parent: Element): Element[] | undefined {
  const children: Element[] = [];
  for (let at = parent.content; at < parent.end; ) {
    const child = elementAt(der, at, parent.end);
    if (!child) return undefined;
    children.push(child);
    at = child.end;
  }
  return children;
}

/** The element that begins here, in definite minimal length (ITU-T X.690 sections 8.1 and 10.1). Tags of several bytes occur in no certificate. */
export function elementAt(der: Uint8Array, start: number, limit: number): Element | undefined {
  const tag = der[start];
  const first = der[start + 1];
  if (tag === undefined || first === undefined || start + 2 > limit || (tag & 0x1f) === 0x1f) return undefined;
  if (first < 0x80) return within({ tag, start, content: start + 2, end: start + 2 + first }, limit);
  const count = first - 0x80;
  const content = start + 2 + count;
  if (count === 0 || count > 4 || content > limit) return undefined;
  let length = 0;
  for (let i = start + 2; i < content; i++) length = length * 256 + (der[i] ?? 0);
  const isMinimal = length >= 0x80 && length >= 256 ** (count - 1);
  return isMinimal ? within({ tag, start, content, end: content + length }, limit) : undefined;
}

function within(element: Element, limit: number): Element | undefined {
  return element.end <= limit ? element : undefined;
}
