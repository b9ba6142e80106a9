import type { Identifier } from '../calls/identifiers.ts';
import { RestError } from '../http/rest-error.ts';

const isPhone = ({ kind }: Identifier) => kind === 'phoneNumber';

/**
 * To call a telephone, the app has to say which number it calls from. The code is that of any invalid argument
 * (azure-docs, troubleshooting-codes), since none is documented for this.
 *
 * @throws {RestError} 400 where it doesn't
 */
export function requireCallerId(targets: readonly Identifier[], callerId: string | undefined): void {
  if (callerId === undefined && targets.some(isPhone))
    throw new RestError(400, '8523', 'sourceCallerIdNumber: has to be given where a phone number is called.');
}

/** Whether a telephone is called from a number that isn't the resource's, which ACS takes and then blocks. */
export function isForeign(
  target: Identifier,
  callerId: string | undefined,
  numbers: readonly string[],
): boolean {
  return isPhone(target) && callerId !== undefined && !numbers.includes(callerId);
}
