/** `services`: targets with names. */
import * as v from 'valibot';
import { Count, dryRun, Name, notes, Target, TargetText, Time } from './common.js';

const Service = v.strictObject({
  name: Name,
  target: Target,
  /** Whether connections to it begin with a header of the PROXY protocol, version 2. */
  proxyProtocol: v.boolean(),
  addedAt: Time,
});

export const ServiceList = v.strictObject({
  schema: v.literal('tuntox.services/1'),
  services: v.array(Service),
  /** Whether clients may reach the services alone: there is no rules file, and `targets.any` is not set. */
  only: v.boolean(),
});
export const AddService = v.strictObject({
  name: Name,
  /** A port of the daemon's machine, or `host:port`. */
  target: TargetText,
  /** Whether the target asks for a header of the PROXY protocol, version 2. Its host is an address then. */
  proxyProtocol: v.optional(v.boolean(), false),
  /** Whether a service of this name gets the new target. */
  replace: v.optional(v.boolean(), false),
  /** Adds it even if tunnels to targets that are no longer allowed would close. */
  confirmed: v.optional(v.boolean(), false),
  dryRun,
});
export const RemoveService = v.strictObject({ name: Name, confirmed: v.optional(v.boolean(), false), dryRun });
export const ServiceChange = v.strictObject({
  schema: v.literal('tuntox.service-change/1'),
  service: Service,
  closedTunnels: Count,
  notes,
});
