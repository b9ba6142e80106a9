// What a span may say. Instrumentations note down addresses, hosts, user agents and messages of errors as they come:
// in ours they hold bindings, phone numbers and whatever a stranger writes.

import { type Span, SpanKind, TraceFlags } from '@opentelemetry/api';
import type { Budgets } from './budget.ts';
import { callKeys } from './names.ts';
import { tracerName } from './spans.ts';

/** The span of the SDK, as far as it is needed: its attributes can be changed until it is exported. */
interface EndingSpan extends Span {
  readonly kind: SpanKind;
  readonly attributes: Record<string, unknown>;
  readonly instrumentationScope: { readonly name: string };
}
interface EndedSpan {
  readonly attributes: Record<string, unknown>;
  readonly events: unknown[];
  readonly status: { message?: string };
}

const kept = new Set<string>([
  'http.request.method',
  'http.response.status_code',
  'http.route',
  'url.scheme',
  'url.path',
  'url.full',
  'server.address',
  'server.port',
  'error.type',
  'callgate.outcome',
  'callgate.reason',
  'microsoft.sample_rate',
  ...callKeys,
]);

/**
 * A span processor that lets through what is known to be harmless, whichever instrumentation wrote it: routes for
 * addresses, no queries, no events of spans (they are errors, with messages), none of the attributes that it doesn't
 * know.
 *
 * @param publicUrl the host that requests are recorded with; the one they ask for is theirs to write
 * @param budgets how many of the instrumentations there may be; ours are asked about before they are made
 */
export function createSpanFilter(publicUrl: URL | undefined, budgets: Budgets) {
  return {
    onStart: () => {},
    onEnding(span: EndingSpan): void {
      const { kind, attributes, instrumentationScope } = span;
      // By its call, which only who was let in has, not by its status: a handshake gives strangers a 200 too.
      const isStrangers = kind === SpanKind.SERVER && attributes.call === undefined;
      const budget = isStrangers ? budgets.refused : budgets.accepted;
      if (instrumentationScope.name !== tracerName && !budget.take()) {
        // What isn't sampled isn't exported.
        span.spanContext().traceFlags = TraceFlags.NONE;
        return;
      }
      if (kind === SpanKind.SERVER) {
        const route = routeOf(String(attributes['url.path']));
        span.setAttributes({ 'http.route': route, 'url.path': route, ...serverOf(publicUrl) });
        span.updateName(`${attributes['http.request.method']} ${route}`);
      } else if (attributes['url.full'] !== undefined) {
        span.setAttribute('url.full', harmless(String(attributes['url.full'])));
      }
    },
    onEnd({ attributes, events, status }: EndedSpan): void {
      for (const name of Object.keys(attributes)) if (!kept.has(name)) delete attributes[name];
      events.length = 0;
      delete status.message;
    },
    forceFlush: async () => {},
    shutdown: async () => {},
  };
}

function serverOf(publicUrl: URL | undefined) {
  if (!publicUrl) return { 'server.address': 'localhost' };
  const { protocol, hostname, port } = publicUrl;
  const scheme = protocol.slice(0, -1);
  return {
    'url.scheme': scheme,
    'server.address': hostname,
    'server.port': Number(port || (scheme === 'https' ? 443 : 80)),
  };
}

const routes = ['/ws', '/healthz', '/readyz', '/api/incoming-call', '/api/callbacks'];

/** The route of a request's path, which may have anything in it. */
function routeOf(path: string): string {
  if (routes.includes(path)) return path;
  const parent = path.slice(0, path.lastIndexOf('/'));
  return parent === '/ws' || parent === '/api/callbacks' ? `${parent}/:binding` : '/other';
}

/** Whether a request is a probe's: of these no record is made, be they ever so many. */
export function isProbe(url = ''): boolean {
  return /^\/(healthz|readyz)(\?|$)/.test(url);
}

// Of the addresses of ACS, of where its keys and where tokens are: all else in a path is an id of something.
const words = new Set(
  (
    'calling callConnections participants media recordings keys callDialog token msi oauth2 v2.0 ' +
    '.well-known jwks.json identity metadata'
  ).split(' '),
);

/** A URL without query and ids: /calling/callConnections/*:terminate. */
function harmless(text: string): string {
  const url = URL.parse(text);
  if (!url) return 'unknown';
  const segments = url.pathname.split('/').map((segment) => {
    const [noun = '', action, ...rest] = segment.split(':');
    const name = noun === '' || words.has(noun) ? noun : '*';
    return action && /^[A-Za-z]+$/.test(action) && rest.length === 0 ? `${name}:${action}` : name;
  });
  return `${url.origin}${segments.join('/')}`;
}
