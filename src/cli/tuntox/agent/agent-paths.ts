/** Where the agent's files are: its socket, and its identity and log in the state directory. */
import { join } from 'node:path';
import { agentPlaces, type UserPlaces } from '../../../agent/socket-file.js';
import { userDirectories } from '../../../base/user-directories.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws AgentSocketError */
export const placesOf = (environment: Environment): UserPlaces => agentPlaces(userDirectories(environment));

export const logPathOf = (environment: Environment): string => join(userDirectories(environment).state, 'agent.log');
