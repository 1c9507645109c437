import { unlockAttendants } from '../authentication/unlock-attendants.ts';
import type { Attend, Heard } from '../broker/attend.ts';
import { firmwareTopic } from '../firmware/device-words.ts';

/**
 * Who in the office listens to a topic. What becomes of a message is decided here, from its topic and its form, so that nobody waits for
 * the office, which is told of it.
 */
export function attendElsewhere(tell: (topic: string, heard: Heard) => void, now: () => number): Attend {
  const unlock = unlockAttendants({
    desk: { request: async () => {}, respond: async () => {} },
    tell() {},
    emit() {},
    now,
  });
  return (topic, principal) => {
    const attendant = unlock(topic, principal);
    if (attendant !== undefined) {
      return (heard) => {
        const outcome = attendant(heard);
        if (outcome === 'taken') tell(topic, heard);
        return outcome;
      };
    }
    if (firmwareTopic(topic) === undefined) return undefined;
    return (heard) => {
      tell(topic, heard);
      return 'passed';
    };
  };
}
