// What ACS's codes mean, for whoever reads the log. Codes as users have met them in the field; Microsoft's own
// list: https://learn.microsoft.com/azure/communication-services/resources/troubleshooting/voice-video-calling/troubleshooting-codes

import type { Logger } from '../log.ts';
import { event } from '../telemetry/event.ts';
import type { CallEvent } from './events.ts';

const speechHelp =
  'ACS could not use its media or speech service: link an Azure AI resource to the Communication Services resource';

const bySubCode: Readonly<Record<number, string>> = {
  8581:
    'ACS could not open the media WebSocket: PUBLIC_URL must reach this app over the internet, and the upgrade must ' +
    'be let in; a refusal stands in this log with its reason',
  8565: speechHelp,
  8567: speechHelp,
  7509: 'ACS ended the call for a reason of its own: ask its support, and quote the correlation id',
};

const worthALine = /^(Call(Connected|Disconnected|TransferAccepted)|MediaStreaming(Started|Stopped))$/;

/** Writes an event into the log, with what its codes mean. ACS's own message stays out: it may name the caller. */
export function logEvent(log: Logger, { type, data }: CallEvent): void {
  const { code, subCode } = data.resultInformation ?? {};
  const level = type.endsWith('Failed') ? 'warn' : worthALine.test(type) ? 'info' : 'debug';
  const help = bySubCode[subCode ?? 0];
  log[level](event('call.acs_event', { type, code, subCode, help }), `ACS: ${type}`);
}

/** What to do when ACS turns down the app itself. */
export function explainStatus(status: number | undefined): string | undefined {
  if (status === 401) {
    return 'ACS does not know who asks: check ACS_CONNECTION_STRING, or that ACS_ENDPOINT is the resource the identity may use';
  }
  if (status === 403) {
    return 'the identity may not take calls: it needs the role Communication and Email Service Owner on the ACS resource';
  }
  return undefined;
}
