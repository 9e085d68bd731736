/** The calls of a WebGPU adapter that the wrapper touches. */
interface Adapter {
  readonly features: ReadonlySet<string>;
  requestDevice(descriptor?: DeviceDescriptor): Promise<unknown>;
}

interface DeviceDescriptor {
  readonly requiredFeatures?: Iterable<string>;
}

/** A place with WebGPU's classes: the global scope, or a test's. */
export interface GpuRealm {
  readonly GPUAdapter?: { readonly prototype: object };
}

interface Wrapper {
  wanted: boolean;
  /** Whether a device was asked for with the feature since {@link useSubgroups} was called last. */
  asked: boolean;
}

const wrapper = Symbol.for("goldcrest.subgroups");

/**
 * Has the devices of this realm that are made from now on come with the feature `subgroups`, where the adapter has it, or without.
 * The engine's graphics library leaves the feature out in browsers, and its shaders go to the browser as they are, so naming it
 * here is enough. Nothing happens without WebGPU.
 */
export function useSubgroups(wanted: boolean, realm: GpuRealm = globalThis): void {
  const state = wrapped(realm) ?? (wanted ? wrap(realm) : undefined);
  if (state !== undefined) Object.assign(state, { wanted, asked: false });
}

/** Whether a device was asked for with subgroups since {@link useSubgroups} was called last. */
export function subgroupsAsked(realm: GpuRealm = globalThis): boolean {
  return wrapped(realm)?.asked === true;
}

function wrapped(realm: GpuRealm): Wrapper | undefined {
  return (realm.GPUAdapter?.prototype as { [wrapper]?: Wrapper } | undefined)?.[wrapper];
}

function wrap(realm: GpuRealm): Wrapper | undefined {
  const prototype = realm.GPUAdapter?.prototype as (Adapter & { [wrapper]?: Wrapper }) | undefined;
  if (prototype === undefined) return undefined;
  const state: Wrapper = { wanted: true, asked: false };
  const original = prototype.requestDevice;
  prototype.requestDevice = function requestDevice(this: Adapter, descriptor: DeviceDescriptor = {}): Promise<unknown> {
    const asked = new Set(descriptor.requiredFeatures ?? []);
    if (state.wanted && this.features.has("subgroups")) {
      asked.add("subgroups");
      state.asked = true;
    }
    return original.call(this, { ...descriptor, requiredFeatures: [...asked] });
  };
  prototype[wrapper] = state;
  return state;
}
