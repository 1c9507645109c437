const WIDTH = 20;

/** For example `█████░░░░░░░░░░░░░░░ 50 of 200`; where nobody watches, and so on a terminal without colours, `#####-…`. */
export function progressBar(done: number, total: number, interactive: boolean): string {
  const filled = total === 0 ? WIDTH : Math.floor((WIDTH * done) / total);
  const [full, empty] = interactive ? ['█', '░'] : ['#', '-'];
  return `${full.repeat(filled)}${empty.repeat(WIDTH - filled)} ${done} of ${total}`;
}

/** True at the steps that are worth a line in a log: each tenth, and the end. */
export function isMilestone(done: number, total: number): boolean {
  return done === total || Math.floor((10 * done) / total) > Math.floor((10 * (done - 1)) / total);
}
