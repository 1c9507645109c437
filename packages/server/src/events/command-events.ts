import type { CommandProblem } from '@sallyport/model';

/** What devices say about the commands that they were sent. */
export interface CommandEvent {
  /** A device did not follow a command, and has signed that; its signature was judged. */
  readonly type: 'command.refused';
  readonly organisation: string;
  /** Written form of the device or gateway. */
  readonly principal: string;
  readonly topic: string;
  readonly reason: CommandProblem;
  /** Who has sent these bytes first, as far as the server remembers. */
  readonly sender?: string;
  /** Another principal that has sent the same bytes after that. */
  readonly repeatedBy?: string;
}
