import type { DeskEvent } from '@sallyport/model';

const LOOKS = {
  opened: {
    text: 'opened',
    title: 'It came sealed, and this desk has the key.',
    look: 'bg-emerald-100 text-emerald-900 dark:bg-emerald-950 dark:text-emerald-200',
  },
  sealed: {
    text: 'sealed',
    title: 'Nobody but the device and who it wrote to can read it.',
    look: 'bg-violet-100 text-violet-900 dark:bg-violet-950 dark:text-violet-200',
  },
} as const;

/** How a content came: nothing is shown for what came in clear. */
export function Protection({ protection }: Pick<DeskEvent, 'protection'>) {
  if (protection === 'clear') return null;
  const { text, title, look } = LOOKS[protection];
  return (
    <span className={`mr-2 rounded px-1.5 py-0.5 text-xs font-medium ${look}`} title={title}>
      {text}
    </span>
  );
}
