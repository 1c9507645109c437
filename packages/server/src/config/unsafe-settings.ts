import type { Configuration } from './schema.ts';

/** A choice that lowers the guard. */
export interface UnsafeSetting {
  /** Dotted key. */
  readonly setting: string;
  readonly meaning: string;
}

/** The choices that must be announced at every start. */
export function unsafeSettings({
  listeners,
  unlock,
  incidents,
  organisations,
}: Configuration): readonly UnsafeSetting[] {
  const found: UnsafeSetting[] = [];
  if (listeners.mqttPlain.allowPlaintextListener) {
    const { address, port } = listeners.mqttPlain;
    found.push({
      setting: 'listeners.mqttPlain.allowPlaintextListener',
      meaning: `MQTT without TLS is open on ${address} port ${port}: whoever is on the way can read and change tokens and messages.`,
    });
  }
  if (unlock.mail.host !== '' && unlock.mail.allowPlaintextMail) {
    found.push({
      setting: 'unlock.mail.allowPlaintextMail',
      meaning: `Mails, with one-time codes in them, go to ${unlock.mail.host} without TLS: whoever is on the way can read and use them.`,
    });
  }
  const { url, allowPlaintextHook } = incidents.alerts.webHook;
  if (url.startsWith('http:') && allowPlaintextHook) {
    found.push({
      setting: 'incidents.alerts.webHook.allowPlaintextHook',
      meaning: `Alerts of incidents go to ${new URL(url).origin} without TLS: whoever is on the way can read them and hold them back.`,
    });
  }
  for (const { id, hook } of organisations) {
    if (!hook?.unsafeTellPassword) continue;
    found.push({
      setting: 'organisations[].hook.unsafeTellPassword',
      meaning: `The web hook of ${id} at ${new URL(hook.url).origin} is told the passwords of clients: whoever runs it, or reads its log, has them.`,
    });
  }
  return found;
}
