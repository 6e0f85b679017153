/** The services of a daemon: targets to which its owner gives names. A change counts once it is on the disk. */
import { ALIAS } from '../../base/alias.js';
import { CodedError } from '../../base/coded-error.js';
import { targetText } from '../../base/endpoint.js';
import { Listeners } from '../../base/listeners.js';
import { FormatError } from '../../config/format-error.js';
import { parseServiceTarget } from '../../config/formats.js';
import { type Target, unixPathOf } from '../../tunnel/wire/target.js';
import type { FileSystem } from '../state/file-system.js';
import { JsonFile, type JsonFormat } from '../state/json-file.js';
import type { StateDirectory } from '../state/state-file-error.js';
import { type Rule, ruleOfService } from './rules.js';
import { checkAddress } from './target-rules.js';

export interface NamedService {
  /** In lower case. */
  readonly name: string;
  readonly target: Target;
  /** Whether the target asks for a header of the PROXY protocol; then its host is an address. */
  readonly hasProxyHeader: boolean;
  /** Unix time, s. */
  readonly addedAt: number;
}

/** By name, in the order in which they were added. */
type ServiceMap = ReadonlyMap<string, NamedService>;

/** The message is for the owner. */
export class ServiceError extends CodedError<'exists' | 'full' | 'not-found'> {}

/** As many as a client remembers. */
const MAX_SERVICES = 64;

export class Services {
  readonly #file: JsonFile<ServiceMap>;
  readonly #changes = new Listeners<[]>();
  #known: { readonly of: ServiceMap; readonly targets: ReadonlyMap<string, Target> } | undefined;

  private constructor(file: JsonFile<ServiceMap>) {
    this.#file = file;
  }

  /** Never fails: while the file cannot be read there is no service, and `error` has the reason. */
  static async open(files: FileSystem, directory: StateDirectory): Promise<Services> {
    return new Services(await JsonFile.open(files, directory, servicesFormat));
  }

  get error(): string | undefined {
    return this.#file.error?.message;
  }

  get all(): readonly NamedService[] {
    return [...this.#file.value.values()];
  }

  /** The target of each service: the same map until there is a change. */
  get targets(): ReadonlyMap<string, Target> {
    const { value } = this.#file;
    if (this.#known?.of !== value) {
      this.#known = { of: value, targets: new Map([...value].map(([name, { target }]) => [name, target])) };
    }
    return this.#known.targets;
  }

  /** The targets that ask for a header of the PROXY protocol, each as a rule. */
  get withHeader(): readonly Rule[] {
    const proxied = this.all.filter(({ hasProxyHeader }) => hasProxyHeader);
    return proxied.map(({ name, target }) => ({ ...ruleOfService(name, target), hasProxyHeader: true }));
  }

  /** @throws ServiceError if it cannot be added */
  check(service: NamedService, isReplacing: boolean): void {
    withService(this.#file.value, service, isReplacing);
  }

  /** @param isReplacing whether the name may have another target already @throws ServiceError, StateFileError */
  async add(service: NamedService, isReplacing: boolean): Promise<void> {
    await this.#file.change((services) => withService(services, service, isReplacing));
    this.#changes.tell();
  }

  /** @throws ServiceError, StateFileError */
  async remove(name: string): Promise<void> {
    await this.#file.change((services) => withoutService(services, name));
    this.#changes.tell();
  }

  /** Calls back after each change. */
  onChange(listener: () => void): void {
    this.#changes.add(listener);
  }
}

/** @throws FormatError when the target cannot have the PROXY protocol */
export function serviceOn(target: Target, hasProxyHeader: boolean): Pick<NamedService, 'target' | 'hasProxyHeader'> {
  if (hasProxyHeader && target.protocol !== undefined) {
    throw new FormatError(`${targetText(target)} is UDP, which has no PROXY protocol here: leave out --proxy-protocol`);
  }
  if (hasProxyHeader && unixPathOf(target) === undefined) checkAddress(target.host);
  return { target, hasProxyHeader };
}

/** @throws ServiceError */
function withService(services: ServiceMap, service: NamedService, isReplacing: boolean): ServiceMap {
  const { name } = service;
  const before = services.get(name);
  if (before !== undefined && !isReplacing) {
    throw new ServiceError('exists', `the service "${name}" is ${targetText(before.target)} already`);
  }
  if (before === undefined && services.size >= MAX_SERVICES) {
    throw new ServiceError('full', `there are ${MAX_SERVICES} services already, as many as there may be`);
  }
  return new Map(services).set(name, service);
}

function withoutService(services: ServiceMap, name: string): ServiceMap {
  if (!services.has(name)) throw new ServiceError('not-found', `there is no service "${name}"`);
  return new Map([...services].filter(([other]) => other !== name));
}

const servicesFormat: JsonFormat<ServiceMap> = {
  name: 'services.json',
  version: 1,
  initial: new Map(),
  encode: (services) => ({
    services: [...services.values()].map(({ name, target, hasProxyHeader, addedAt }) => {
      return {
        name,
        target: targetText(target),
        ...(hasProxyHeader ? { proxy_protocol: true } : {}),
        added_at: addedAt,
      };
    }),
  }),
  decode: ({ services }) => {
    if (!Array.isArray(services)) throw new Error('it has no "services"');
    const decoded = services.map((one, index) => decodeService(one, index + 1));
    const map = new Map(decoded.map((one) => [one.name, one]));
    if (map.size < decoded.length) throw new Error('two services have the same name');
    return map;
  },
};

function decodeService(value: unknown, place: number): NamedService {
  const fields = (value ?? {}) as Record<string, unknown>;
  const { name, target, proxy_protocol: hasProxyHeader = false, added_at: addedAt } = fields;
  const invalid = (field: string): never => {
    throw new Error(`service ${place}: its "${field}" is invalid`);
  };
  if (typeof name !== 'string' || !ALIAS.test(name) || name !== name.toLowerCase()) return invalid('name');
  if (typeof target !== 'string') return invalid('target');
  if (typeof hasProxyHeader !== 'boolean') return invalid('proxy_protocol');
  if (!Number.isSafeInteger(addedAt)) return invalid('added_at');
  try {
    return { ...serviceOn(parseServiceTarget(target), hasProxyHeader), name, addedAt: addedAt as number };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return invalid('target');
  }
}
