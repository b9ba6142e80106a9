// Application Insights. Loaded with --import, before anything that it is to observe.

/** Sends what has been gathered. @param timeoutMs after which the rest is given up */
export async function flushTelemetry(_timeoutMs: number): Promise<void> {}
