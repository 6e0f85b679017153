/**
 * The control protocol (docs/control-protocol.md): one map has the methods, parameters and results of the server and the client.
 * A method with `event` sends a stream of events before its result.
 */
import type * as v from 'valibot';
import * as access from './messages/access.js';
import { NoParams } from './messages/common.js';
import * as connections from './messages/connections.js';
import * as forwards from './messages/forwards.js';
import * as invitations from './messages/invitations.js';
import * as pending from './messages/pending.js';
import * as services from './messages/services.js';
import * as status from './messages/status.js';
import * as upkeep from './messages/upkeep.js';

/** The version of the protocol that this program speaks. */
export const PROTOCOL_VERSION = 1;

type Schema = v.GenericSchema;

export interface MethodSchema {
  readonly params: Schema;
  readonly result: Schema;
  /** Sent any number of times before the result. */
  readonly event?: Schema;
  /** Whether it changes anything. */
  readonly isWrite: boolean;
}

const read = <P extends Schema, R extends Schema>(params: P, result: R) =>
  ({ params, result, isWrite: false }) as const satisfies MethodSchema;
const write = <P extends Schema, R extends Schema>(params: P, result: R) =>
  ({ params, result, isWrite: true }) as const satisfies MethodSchema;
const stream = <P extends Schema, E extends Schema>(params: P, event: E) =>
  ({ params, result: NoParams, event, isWrite: false }) as const satisfies MethodSchema;

export const METHODS = {
  status: read(NoParams, status.Status),
  id: read(NoParams, status.Identity),
  net: read(NoParams, status.Network),
  'connections.list': read(connections.ListConnections, connections.ConnectionList),
  'connections.watch': stream(connections.WatchConnections, connections.ConnectionList),
  'connections.close': write(connections.CloseConnections, connections.Closed),
  'clients.list': read(connections.ListClients, connections.ClientList),
  'clients.watch': stream(connections.WatchClients, connections.ClientList),
  'clients.show': read(connections.ShowClient, connections.ShownClient),
  'clients.kick': write(connections.KickClient, connections.Kicked),
  'clients.pending': read(NoParams, pending.PendingClients),
  'clients.approve': write(pending.ApproveClient, pending.Approved),
  'whitelist.list': read(NoParams, access.Whitelist),
  'whitelist.add': write(access.AddToWhitelist, access.WhitelistChange),
  'whitelist.edit': write(access.EditWhitelist, access.WhitelistChange),
  'whitelist.remove': write(access.RemoveFromWhitelist, access.WhitelistChange),
  'whitelist.import': write(access.ImportWhitelist, access.WhitelistChange),
  'whitelist.off': write(access.WhitelistOff, access.WhitelistChange),
  'invite.list': read(NoParams, invitations.Invitations),
  'invite.create': write(invitations.CreateInvitation, invitations.InvitationCreated),
  'invite.revoke': write(invitations.RevokeInvitation, invitations.InvitationRevoked),
  'secret.status': read(NoParams, access.SecretStatus),
  'secret.set': write(access.SetSecret, access.SecretChange),
  'secret.rotate': write(access.RotateSecret, access.SecretChange),
  'secret.off': write(access.SecretOff, access.SecretChange),
  'services.list': read(NoParams, services.ServiceList),
  'services.add': write(services.AddService, services.ServiceChange),
  'services.remove': write(services.RemoveService, services.ServiceChange),
  'rules.list': read(NoParams, access.RuleList),
  'rules.check': read(access.CheckRule, access.RuleVerdict),
  'bans.list': read(NoParams, access.BanList),
  'bans.clear': write(access.ClearBans, access.BanList),
  'forwards.list': read(NoParams, forwards.ForwardList),
  'forwards.add': write(forwards.AddForward, forwards.ForwardChange),
  'forwards.remove': write(forwards.RemoveForward, forwards.ForwardChange),
  'config.show': read(NoParams, upkeep.Configuration),
  'config.check': read(NoParams, upkeep.CheckedConfiguration),
  'config.reload': write(upkeep.ReloadConfiguration, upkeep.Reloaded),
  'log.tail': stream(upkeep.TailLog, upkeep.LogLine),
  'log.level': write(upkeep.SetLogLevel, upkeep.LogLevelSet),
  ping: read(upkeep.PingClient, upkeep.Pong),
  metrics: read(NoParams, upkeep.Metrics),
} as const satisfies Readonly<Record<string, MethodSchema>>;

export type Methods = typeof METHODS;
export type MethodName = keyof Methods;
/** The parameters as a caller writes them: fields with a default may be left out. */
export type ParamsIn<M extends MethodName> = v.InferInput<Methods[M]['params']>;
/** The parameters as the daemon receives them: with the defaults. */
export type Params<M extends MethodName> = v.InferOutput<Methods[M]['params']>;
export type Result<M extends MethodName> = v.InferOutput<Methods[M]['result']>;
export type StreamName = { [M in MethodName]: Methods[M] extends { event: Schema } ? M : never }[MethodName];
export type StreamEvent<M extends StreamName> = Methods[M] extends { event: infer E extends Schema }
  ? v.InferOutput<E>
  : never;

/** A request that is being handled. */
export interface Call {
  /** Aborted when the client cancels the request, or disconnects. */
  readonly signal: AbortSignal;
}

/** Sends one event of a stream. @returns false when the client reads too slowly: the next events may be left out */
export type Emit<Event> = (event: Event) => boolean;

/** A handler for each method. It throws a ControlError when the caller can do something about it. */
export type MethodHandlers = {
  readonly [M in MethodName]: M extends StreamName
    ? (params: Params<M>, emit: Emit<StreamEvent<M>>, call: Call) => Promise<void>
    : (params: Params<M>, call: Call) => Promise<Result<M>> | Result<M>;
};
