import type { UnlockStatus } from '@sallyport/model';
import type { UnlockDesk } from './unlock-desk.ts';
import { codeIn, type HeardMessage, jsonObject } from './unlock-message.ts';

export interface PublishedUnlockOptions {
  readonly desk: Pick<UnlockDesk, 'request' | 'respond'>;
  readonly attempt: (work: Promise<void>) => 'taken';
  readonly tell: (heard: HeardMessage, document: Readonly<Record<string, unknown>>) => void;
  readonly now: () => number;
}

/** Name under which the server answers in place of the application of the published flow. */
const APPLICATION_ID = 'sallyport';

/**
 * The one-time code as devices of the published flow speak it: events and commands are named inside the JSON, and truth is a text.
 * Only for pending sessions; what others say on this topic goes its way.
 */
export function publishedUnlock({ desk, attempt, tell, now }: PublishedUnlockOptions) {
  const command = (cmd: string, rest: Readonly<Record<string, unknown>>) => ({
    cmd,
    ...rest,
    appid: APPLICATION_ID,
    time: new Date(now()).toISOString(),
  });

  return (heard: HeardMessage): 'taken' | 'passed' | 'refused' => {
    if (heard.assurance !== 'pending') return 'passed';
    const message = jsonObject(heard.payload);
    switch (message.event) {
      case 'server_otp_request': {
        let otp = '';
        const answer = ({ status }: UnlockStatus) => {
          if (status === 'sent' || otp !== '') tell(heard, command('server_otp_response', { otp }));
          else if (status === 'unlocked') tell(heard, validation('true', 'false'));
        };
        return attempt(
          desk.request(heard, answer, (code) => {
            otp = code;
          }),
        );
      }
      case 'device_otp_response':
        return attempt(
          desk.respond(heard, codeIn(message.otp), ({ status }) => {
            tell(heard, validation(String(status === 'unlocked'), String(status === 'expired')));
          }),
        );
      default:
        return 'refused';
    }
  };

  function validation(isOTPValid: string, isTimeOut: string) {
    return command('server_otp_validate', { isOTPValid, isTimeOut });
  }
}
