import { createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { listen } from '../../src/server.ts';

/** A stand-in for the ingestion service of Application Insights, which takes everything and counts it. */
export async function startIngestion() {
  let records = 0;
  let last = performance.now();
  const server = createServer(async (request, response) => {
    const items = countRecords(await buffer(request));
    records += items;
    last = performance.now();
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ itemsReceived: items, itemsAccepted: items, errors: [] }));
  });
  const port = await listen(server, 0, '127.0.0.1');
  return {
    connectionString: `InstrumentationKey=00000000-0000-4000-8000-000000000000;IngestionEndpoint=http://127.0.0.1:${port}/`,
    get records() {
      return records;
    },
    /** Resolves when nothing has come for so long, in milliseconds from now at the earliest. */
    async quiet(ms: number): Promise<void> {
      const asked = performance.now();
      for (;;) {
        const left = Math.max(asked, last) + ms - performance.now();
        if (left <= 0) return;
        await setTimeout(left);
      }
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Not by parsing, which would take the load's processor. */
function countRecords(body: Buffer): number {
  let count = 0;
  for (let at = body.indexOf('"baseType"'); at >= 0; at = body.indexOf('"baseType"', at + 1)) count += 1;
  return count;
}
