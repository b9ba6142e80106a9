// What ACS's codes mean, for whoever reads the log. Codes as users have met them in the field; Microsoft's own
// list: https://learn.microsoft.com/azure/communication-services/resources/troubleshooting/voice-video-calling/troubleshooting-codes

const bySubCode: Readonly<Record<number, string>> = {
  8581:
    'ACS could not open the media WebSocket: PUBLIC_URL must reach this app over the internet, and the upgrade must ' +
    'be let in; a refusal stands in this log with its reason',
  8565: 'ACS could not use the speech service: link an Azure AI resource to the Communication Services resource',
  8567: 'ACS may not use the speech service: its identity needs the role Cognitive Services User there',
  7509: 'ACS could not set up the call; Microsoft documents no more than that: quote the correlation id to its support',
};

/**
 * @param result what an event of ACS's says of its outcome
 * @returns plain words, or undefined where the code says enough
 */
export function explain(result: { subCode?: number | undefined } | null | undefined): string | undefined {
  return bySubCode[result?.subCode ?? 0];
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
