// Application Insights. Loaded with --import, before whatever it is to observe: nothing is sent yet.

/**
 * Sends what was gathered and not sent yet.
 *
 * @param _timeoutMs after which the rest is given up, in milliseconds
 */
export async function flushTelemetry(_timeoutMs: number): Promise<void> {}
