import { z } from 'zod';
import type { SimulatedCall } from '../calls/handle.ts';
import { invitationOutcomes } from '../calls/invitations.ts';
import { definedOf } from '../defined.ts';
import { answerFaultSchema, faultChangesSchema } from '../faults/faults.ts';
import type { Handler, Request } from '../http/http.ts';
import { requireJson } from '../http/http.ts';
import { RestError } from '../http/rest-error.ts';
import { formatWav } from '../media/wav.ts';
import { operations } from '../rest/operations.ts';
import type { Simulator } from '../simulator.ts';
import { callSchema, dialedSchema, keysSchema, readCall, wordsSchema } from './call-schema.ts';
import type { ScenarioFile } from './scenario.ts';
import { ScenarioError } from './scenario.ts';

const pressSchema = z.strictObject({ digits: keysSchema });
const saySchema = z.strictObject({ text: wordsSchema });
const respondSchema = z.strictObject({
  outcome: z.enum(invitationOutcomes),
  target: z.string().min(1).optional(),
});
const nextSchema = answerFaultSchema.extend({ operation: z.enum(operations.map(({ name }) => name)) });
const emptySchema = z.strictObject({});
/** What is kept of a call without media: a file of two channels with nothing in them. */
const noAudio = formatWav([Buffer.alloc(0), Buffer.alloc(0)], 16_000);

/**
 * The control plane: what a person or a test does to the simulator from outside, as JSON over HTTP. The server it
 * hangs on refuses foreign hosts and origins; here each POST has to say that it is JSON, even one without a body. A web
 * page of another origin can send neither that nor a DELETE before a browser has asked (CORS), and nothing says yes.
 */
export function createControl(simulator: Simulator, app: string | undefined): Handler {
  const found = (id: string): SimulatedCall => {
    const call = simulator.calls.find((candidate) => candidate.id === id);
    if (!call) throw new RestError(404, 'NotFound', 'There is no such call.');
    return call;
  };

  async function change(
    method: string,
    [room, id = '', action = '']: string[],
    request: Request,
  ): Promise<unknown> {
    if (method === 'DELETE' && room === 'calls' && action === '') return hangUp(found(id));
    if (method !== 'POST') return undefined;
    switch (action === '' ? `${room}/${id}` : `${room}/{id}/${action}`) {
      case 'calls/':
        return simulator.placeCall(readCall(parse(callSchema, request))).report();
      case 'calls/{id}/press': {
        const { digits } = parse(pressSchema, request);
        await found(id).press(digits);
        return found(id).report();
      }
      case 'calls/{id}/say': {
        const { text } = parse(saySchema, request);
        found(id).say(text);
        return found(id).report();
      }
      case 'calls/{id}/respond': {
        const { outcome, target } = parse(respondSchema, request);
        found(id).respond(outcome, target);
        return found(id).report();
      }
      case 'calls/{id}/drop':
        parse(emptySchema, request);
        found(id).stream?.socket?.drop();
        return found(id).report();
      case 'dialed/': {
        const dialed = definedOf(parse(dialedSchema, request));
        simulator.setDialed(dialed);
        return { outcome: dialed.outcome };
      }
      case 'keys/rotate':
        parse(emptySchema, request);
        await simulator.rotateKeys();
        return { rotated: true };
      case 'faults/':
        simulator.setFaults(parse(faultChangesSchema, request));
        return simulator.faults;
      case 'faults/next': {
        const { operation, ...fault } = parse(nextSchema, request);
        simulator.failNext(operation, fault);
        return { operation, ...fault };
      }
      case 'scenarios/':
        return simulator.runScenario(parse(z.custom<ScenarioFile>(), request));
      default:
        return undefined;
    }
  }

  async function show([room, id = '', action = '']: string[]): Promise<unknown> {
    if (room === '') return identity();
    if (room === 'faults' && id === '') return simulator.faults;
    if (room === 'scenarios' && id === '') return { current: simulator.scenario };
    if (room !== 'calls') return undefined;
    if (id === '') return simulator.calls.map(glance);
    if (action === '') return found(id).report();
    if (action === 'ended') return found(id).ended;
    if (action === 'audio') return found(id).stream?.wav() ?? noAudio;
    return undefined;
  }

  function identity() {
    const { url, audience, issuer, jwksUrl, numbers } = simulator;
    return {
      name: 'callgate-simulator',
      url,
      audience,
      issuer,
      jwksUrl,
      numbers,
      ...(app !== undefined && { app }),
    };
  }

  return async (request) => {
    const segments = request.path.replace(/^\/_simulator\/?/, '').split('/');
    const reading = request.method === 'GET';
    if (request.method === 'POST') requireJson(request.headers);
    const result = await (reading ? show(segments) : change(request.method, segments, request).catch(refuse));
    if (result === undefined) throw new RestError(404, 'NotFound', 'The control plane has no such thing.');
    const headers = Buffer.isBuffer(result) ? { 'content-type': 'audio/wav' } : {};
    return { status: 200, headers, body: result };
  };
}

function refuse(error: unknown): never {
  if (error instanceof ScenarioError) throw new RestError(400, 'BadRequest', error.message);
  throw error;
}

/** What is cheap to tell: asking how calls go must not slow them down. */
function glance({ id, direction, state, stream }: SimulatedCall) {
  return { id, direction, state, sent: stream?.counts.sent ?? 0, received: stream?.counts.received ?? 0 };
}

function hangUp(call: SimulatedCall) {
  call.hangUp();
  return call.report();
}

function parse<T extends z.ZodType>(schema: T, { body }: Request): z.output<T> {
  let value: unknown;
  try {
    value = body.length === 0 ? {} : JSON.parse(body.toString());
  } catch {
    throw new RestError(400, 'BadRequest', 'The body is not JSON.');
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(
    ({ path, message }) => `${path.join('.') || 'The body'}: ${message}`,
  );
  throw new RestError(400, 'BadRequest', faults.join('; '));
}
