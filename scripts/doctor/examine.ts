import {
  checkAlive,
  checkEventKey,
  checkHandshake,
  checkHttps,
  checkReady,
  checkWebSocket,
} from './app-checks.ts';
import { NoAnswer } from './ask.ts';
import { checkResource, checkRole, checkSubscription } from './azure-checks.ts';
import { type Check, type Finding, type Patient, unchecked, wrong } from './check.ts';
import { checkAudience, checkKeys, checkSignIn } from './environment-checks.ts';

/** The report, from the outside in. */
const checks: readonly Check[] = [
  { name: 'https', look: checkHttps },
  { name: 'alive', look: checkAlive },
  { name: 'ready', asksApp: true, look: checkReady },
  { name: 'WebSocket', asksApp: true, look: checkWebSocket },
  { name: 'handshake', asksApp: true, look: checkHandshake },
  { name: 'event key', asksApp: true, look: checkEventKey },
  { name: 'signing keys', look: checkKeys },
  { name: 'audience', look: checkAudience },
  { name: 'resource', look: checkResource },
  { name: 'sign-in', look: checkSignIn },
  { name: 'role', look: checkRole },
  { name: 'subscription', look: checkSubscription },
];

export interface Line extends Finding {
  name: string;
}

/** Looks at everything, side by side; what asks the app waits for a sign of life. Never rejects for what it finds. */
export async function examine(patient: Patient): Promise<Line[]> {
  const alive = settle(checkAlive, patient);
  return Promise.all(
    checks.map(async ({ name, asksApp, look }) => {
      if (look === checkAlive) return { name, ...(await alive) };
      if (asksApp && (await alive).verdict !== 'ok') {
        return { name, ...unchecked('the app could not be asked', 'see what alive says') };
      }
      return { name, ...(await settle(look, patient)) };
    }),
  );
}

async function settle(look: Check['look'], patient: Patient): Promise<Finding> {
  try {
    return await look(patient);
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    return wrong(
      error.message,
      'see that the URL is right, that the app runs, and that this network lets you through',
    );
  }
}
