// The only file that knows the SDK of ACS.

import { CallAutomationClient, type CallConnection } from '@azure/communication-call-automation';
import { type CommunicationIdentifier, createIdentifierFromRawId } from '@azure/communication-common';
import { DefaultAzureCredential, type TokenCredential } from '@azure/identity';
import type { AcsConfig } from '../config.ts';

/** The SDK's own handle on a call, for what has no general name. */
export type AcsConnection = CallConnection;

/** The ids by which ACS knows a call. */
export interface CallIds {
  callConnectionId: string;
  correlationId: string | undefined;
  serverCallId: string | undefined;
}

/** What the app asks of ACS. Each method rejects with an {@link AcsError}. */
export interface AcsClient {
  answer(offer: CallOffer, signal: AbortSignal): Promise<CallIds>;
  rejectAsBusy(incomingCallContext: string, signal: AbortSignal): Promise<void>;
  /**
   * Ends the call for everyone.
   *
   * @param tryMs how long one request may go without an answer, in milliseconds
   */
  hangUp(callConnectionId: string, signal: AbortSignal, tryMs: number): Promise<void>;
  startMedia(callConnectionId: string, signal: AbortSignal): Promise<void>;
  /** @param to a phone number (+…) or a raw id (8:acs:…, 4:+…, 28:orgid:…) */
  transfer(callConnectionId: string, to: string, signal: AbortSignal): Promise<void>;
  connection(callConnectionId: string): AcsConnection;
  /** Asks for one token, to learn early whether the managed identity works; nothing to do with a key. */
  signIn(signal: AbortSignal): Promise<void>;
}

/** How a ringing call is to be answered. */
export interface CallOffer {
  incomingCallContext: string;
  callbackUri: string;
  transportUrl: string;
}

/**
 * A request that ACS refused or that didn't reach it. Carries the status and the code only: what the SDK puts
 * into its messages can repeat the request, and with it the call's binding.
 */
export class AcsError extends Error {
  override readonly name = 'AcsError';
  /** The HTTP status, where there was an answer. */
  readonly status: number | undefined;
  /** ACS's error code, or Node's (ECONNREFUSED). */
  readonly code: string | undefined;
  /** Nobody knows what ACS made of the request: it was given up on while it was under way. */
  readonly timedOut: boolean;

  /** @param error what the SDK threw: an Error, or a bare string where ACS's answer has no id */
  constructor(error: unknown) {
    const { name, statusCode, code } = errorFacts(error);
    super([statusCode, code].filter(Boolean).join(' ') || name || 'an answer without an id');
    this.status = statusCode;
    this.code = code;
    this.timedOut = name === 'AbortError' || name === 'TimeoutError';
  }

  /** False where ACS's answer is final: the call is taken or gone. */
  get isRetryable(): boolean {
    const { status } = this;
    const final =
      status !== undefined && status >= 400 && status < 500 && ![401, 403, 408, 429].includes(status);
    return !final;
  }
}

/** What every method of the client rejects with. */
export function asAcsError(error: unknown): AcsError {
  return error instanceof AcsError ? error : new AcsError(error);
}

/** The scope that the SDK itself asks for; the double slash is ACS's. */
const tokenScope = 'https://communication.azure.com//.default';

/** @param config the resource and how to sign in to it: a connection string, or the managed identity */
export function createAcsClient(config: AcsConfig): AcsClient {
  const { client, credential } = connect(config);
  return {
    answer: (offer, abortSignal) =>
      asking(async () => {
        const { callConnectionProperties } = await client.answerCall(
          offer.incomingCallContext,
          offer.callbackUri,
          {
            abortSignal,
            mediaStreamingOptions: {
              transportType: 'websocket',
              transportUrl: offer.transportUrl,
              contentType: 'audio',
              audioChannelType: 'mixed',
              audioFormat: 'Pcm24KMono',
              startMediaStreaming: true,
              enableBidirectional: true,
              enableDtmfTones: true,
            },
          },
        );
        const { callConnectionId, correlationId, serverCallId } = callConnectionProperties;
        if (!callConnectionId) throw new TypeError('ACS answered without an id');
        return { callConnectionId, correlationId, serverCallId };
      }),
    rejectAsBusy: (context, abortSignal) =>
      asking(() => client.rejectCall(context, { abortSignal, callRejectReason: 'busy' })),
    hangUp: (id, abortSignal, timeout) =>
      asking(() => client.getCallConnection(id).hangUp(true, { abortSignal, requestOptions: { timeout } })),
    startMedia: (id, abortSignal) =>
      asking(() => client.getCallConnection(id).getCallMedia().startMediaStreaming({ abortSignal })),
    transfer: (id, to, abortSignal) =>
      asking(async () => {
        await client.getCallConnection(id).transferCallToParticipant(identifierOf(to), { abortSignal });
      }),
    connection: (id) => client.getCallConnection(id),
    signIn: (abortSignal) =>
      asking(async () => {
        await credential?.getToken(tokenScope, { abortSignal });
      }),
  };
}

function connect(config: AcsConfig): { client: CallAutomationClient; credential?: TokenCredential } {
  if ('connectionString' in config) {
    // The configuration lets http through for loopback alone.
    const allowInsecureConnection = config.endpoint.startsWith('http:');
    return { client: new CallAutomationClient(config.connectionString, { allowInsecureConnection }) };
  }
  const credential = new DefaultAzureCredential(
    config.managedIdentityClientId ? { managedIdentityClientId: config.managedIdentityClientId } : {},
  );
  return { client: new CallAutomationClient(config.endpoint, credential), credential };
}

async function asking<T>(request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (error) {
    throw asAcsError(error);
  }
}

/** What may be said of an error. */
function errorFacts(error: unknown): { name?: string; statusCode?: number; code?: string } {
  if (!(error instanceof Error)) return {};
  const { name } = error;
  const statusCode =
    'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : undefined;
  const code = 'code' in error && typeof error.code === 'string' ? error.code.slice(0, 64) : undefined;
  return { name, ...(statusCode && { statusCode }), ...(code && { code }) };
}

function identifierOf(to: string): CommunicationIdentifier {
  return to.startsWith('+') ? { phoneNumber: to } : createIdentifierFromRawId(to);
}
