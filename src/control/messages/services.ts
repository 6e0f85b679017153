/** `services`: targets with names. */
import * as v from 'valibot';
import { Count, dryRun, Name, notes, Target, TargetText, Time } from './common.js';

const Service = v.strictObject({ name: Name, target: Target, addedAt: Time });

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
