// The ingestion service of Application Insights, as far as its SDK can tell.

import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { type Arrivals, createArrivals } from '../support/arrivals.ts';

/** One record as it arrives. */
export interface Envelope {
  readonly name: string;
  readonly time: string;
  readonly iKey: string;
  readonly sampleRate?: number;
  readonly tags: Readonly<Record<string, string>>;
  readonly data: { readonly baseType: string; readonly baseData: EnvelopeData };
}

export interface EnvelopeData {
  readonly name?: string;
  readonly message?: string;
  readonly url?: string;
  readonly data?: string;
  readonly type?: string;
  readonly target?: string;
  readonly responseCode?: string;
  readonly resultCode?: string;
  readonly success?: boolean;
  readonly duration?: string;
  readonly severityLevel?: string;
  readonly exceptions?: readonly { typeName: string; message: string; stack: string }[];
  readonly metrics?: readonly { name: string; value: number }[];
  readonly properties?: Readonly<Record<string, string>>;
  readonly measurements?: Readonly<Record<string, number>>;
}

/** How it answers: takes what comes, turns it down with a status, or says nothing at all. */
export type Manner = 'accept' | 'hang' | number;

export interface Ingestion {
  readonly connectionString: string;
  /** What an app is started with to report here, with short delays. */
  readonly env: Readonly<Record<string, string>>;
  /** All that was sent, whatever the answer. */
  readonly envelopes: readonly Envelope[];
  /** Every byte of it as it was sent, headers included. */
  readonly text: string;
  /** How many requests there were. */
  readonly requests: number;
  /** Waits for a record. */
  until: Arrivals<Envelope>['until'];
  /** Answers so from now on. */
  respond(manner: Manner): void;
}

/** Starts it; it ends with the test. */
export async function startIngestion(t: TestContext): Promise<Ingestion> {
  const envelopes = createArrivals<Envelope>({
    limitMs: 30_000,
    name: ({ data }) => data.baseData.name ?? data.baseType,
  });
  let text = '';
  let requests = 0;
  let manner: Manner = 'accept';

  async function take(request: IncomingMessage, response: ServerResponse) {
    const body = await buffer(request);
    const isZipped = request.headers['content-encoding'] === 'gzip';
    const sent = (isZipped ? gunzipSync(body) : body).toString();
    requests += 1;
    text += `${request.url} ${JSON.stringify(request.headers)}\n${sent}\n`;
    const items: Envelope[] = JSON.parse(sent);
    envelopes.add(...items);
    if (manner === 'hang') return;
    const status = manner === 'accept' ? 200 : manner;
    const itemsAccepted = manner === 'accept' ? items.length : 0;
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ itemsReceived: items.length, itemsAccepted, errors: [] }));
  }

  const server = createServer((request, response) => {
    take(request, response).catch((error) => response.destroy(error));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('a TCP server has a port');
  const connectionString = `InstrumentationKey=${randomUUID()};IngestionEndpoint=http://127.0.0.1:${address.port}/`;

  return {
    connectionString,
    env: {
      APPLICATIONINSIGHTS_CONNECTION_STRING: connectionString,
      OTEL_BSP_SCHEDULE_DELAY: '100',
      OTEL_BLRP_SCHEDULE_DELAY: '100',
      OTEL_METRIC_EXPORT_INTERVAL: '500',
      OTEL_METRIC_EXPORT_TIMEOUT: '500',
    },
    envelopes: envelopes.all,
    get text() {
      return text;
    },
    get requests() {
      return requests;
    },
    until: envelopes.until,
    respond(next) {
      manner = next;
    },
  };
}
