import { Fragment } from 'react';

/** What was sent, as it is: lines end after commas, and within a word only where nothing else fits. */
export function PayloadText({ text }: { readonly text: string }) {
  return (
    <span className="font-mono text-xs wrap-anywhere whitespace-pre-wrap">
      {text.split(/(?<=,)/).map((part, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: what was sent never changes
        <Fragment key={index}>
          {index === 0 ? null : <wbr />}
          {part}
        </Fragment>
      ))}
    </span>
  );
}
