/** A text of bounded length: what strangers send is kept, but not at any size. */
export function clip(text: string, most = 256): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

export function clipped(text: string | undefined, most?: number): string | undefined {
  return text === undefined ? undefined : clip(text, most);
}
