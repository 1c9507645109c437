import type { Configuration } from '../config/schema.ts';
import type { EventStream } from '../events/stream.ts';
import { type MqttAlertOptions, mailAlert, mqttAlert, webHookAlert } from '../incidents/alert-letters.ts';
import type { AlertWay } from '../incidents/alert-way.ts';
import { Alerts } from '../incidents/alerts.ts';
import type { Incidents } from '../incidents/incidents.ts';
import { signedPost } from '../outbound/signed-post.ts';
import { configuredMail } from './mail.ts';
import { signingSecret, trusted } from './secret-files.ts';

export interface AlertsWiringOptions {
  readonly configuration: Configuration;
  readonly events: EventStream;
  readonly incidents: Pick<Incidents, 'get'>;
  readonly publish: MqttAlertOptions['publish'];
  readonly now: () => number;
}

/**
 * The alerts of incidents, by every way that the configuration names.
 *
 * @throws Failure `configuration_invalid`, `key_material_invalid` if a secret cannot be read
 */
export function openAlerts({ configuration, events, incidents, publish, now }: AlertsWiringOptions): Alerts {
  const { pause } = configuration.incidents.alerts;
  const alerts = new Alerts({
    ways: waysOf(configuration, publish, now),
    severities: configuration.incidents.severities,
    find: (id) => incidents.get(id),
    pause,
    emit: (event) => events.emit(event),
    now,
  });
  events.on('incident.opened', (event) => alerts.observe(event));
  events.on('incident.contained', (event) => alerts.observe(event));
  return alerts;
}

function waysOf(
  { incidents, unlock }: Configuration,
  publish: MqttAlertOptions['publish'],
  now: () => number,
): readonly AlertWay[] {
  const { mail, webHook, mqtt } = incidents.alerts;
  const ways: AlertWay[] = [];
  const mails = mail.to.length === 0 ? undefined : configuredMail(unlock);
  if (mails) ways.push({ ...mail, channel: 'mail', send: mailAlert(mails, mail.to) });
  if (webHook.url !== '') {
    const secret = signingSecret('incidents.alerts.webHook', webHook.secretFile);
    const post = signedPost({
      url: webHook.url,
      timeout: webHook.timeout,
      secret,
      now,
      ...trusted('incidents.alerts.webHook.ca', webHook.ca),
    });
    ways.push({ ...webHook, channel: 'web-hook', send: webHookAlert(post) });
  }
  if (mqtt.enabled) {
    const serverOrganisation = mqtt.serverOrganisation === '' ? undefined : mqtt.serverOrganisation;
    ways.push({ ...mqtt, channel: 'mqtt', send: mqttAlert({ publish, serverOrganisation }) });
  }
  return ways;
}
