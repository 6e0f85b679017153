import { CodedError } from '../../base/coded-error.js';

/** What kept us from the network. The message says what a person can do about it. */
export class NetworkError extends CodedError<
  'port-in-use' | 'no-permission' | 'no-address' | 'no-socket' | 'unknown-host' | 'timed-out'
> {}
