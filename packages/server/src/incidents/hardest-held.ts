import type { IncidentDocument } from '@sallyport/model';

const HARDEST_FIRST = ['quarantine', 'read-only', 'throttle'] as const;

/**
 * The hardest of what the incidents of one principal hold against it, in live sessions as in explanations. A suspension is not among it:
 * the registry knows it.
 */
export function hardestHeld(
  incidents: Iterable<Pick<IncidentDocument, 'subject' | 'containment'>>,
  subject: string,
): (typeof HARDEST_FIRST)[number] | undefined {
  const held = [...incidents].filter((one) => one.subject === subject).map(({ containment }) => containment);
  return HARDEST_FIRST.find((each) => held.includes(each));
}
