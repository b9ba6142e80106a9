import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type {
  CallInvite,
  CreateCallOptions,
  MediaStreamingOptions,
} from '@azure/communication-call-automation';
import type { SimulatedCall } from '../../../simulator/calls/handle.ts';
import type { SimulatorOptions } from '../../../simulator/simulator.ts';
import { createSimulator } from '../../../simulator/simulator.ts';
import { eventsOf } from './answered.ts';
import { startApp } from './app.ts';

export const callee = { phoneNumber: '+15550122' };
export const invite: CallInvite = {
  targetParticipant: callee,
  sourceCallIdNumber: { phoneNumber: '+15550199' },
};

/** An app of Microsoft's packages that calls people, ten times as fast as the world. */
export async function dialingApp(t: TestContext, options: SimulatorOptions = {}) {
  const simulator = await createSimulator({ frameMs: 2, keyMs: 1, graceMs: 200, ...options });
  t.after(() => simulator.close());
  const app = await startApp(t, simulator);
  const media: MediaStreamingOptions = {
    transportType: 'websocket',
    transportUrl: app.callbacks.replace('http', 'ws').replace('callbacks', 'media'),
    contentType: 'audio',
    audioChannelType: 'mixed',
    startMediaStreaming: true,
    enableBidirectional: true,
    audioFormat: 'Pcm24KMono',
  };
  const callOf = (id: string | undefined): SimulatedCall => {
    const call = simulator.calls.find(({ callConnectionId }) => callConnectionId === id);
    assert.ok(call);
    return call;
  };

  return {
    simulator,
    app,
    media,
    callOf,
    async dial(who = invite, wanted?: CreateCallOptions) {
      const created = await app.client.createCall(who, app.callbacks, wanted);
      const call = callOf(created.callConnectionProperties.callConnectionId);
      return {
        ...eventsOf(app, call),
        call,
        connection: created.callConnection,
        properties: created.callConnectionProperties,
      };
    },
  };
}
