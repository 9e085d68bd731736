/** The calls of a WebGPU adapter that the wrapper touches. */
interface Adapter {
  readonly features: ReadonlySet<string>;
  requestDevice(descriptor?: DeviceDescriptor): Promise<unknown>;
}

interface DeviceDescriptor {
  readonly requiredFeatures?: Iterable<string>;
}

const wrapped = Symbol.for("goldcrest.subgroups");

/**
 * Has every device of this realm made with the feature `subgroups`, where its adapter has it. The engine's graphics library
 * leaves the feature out in browsers, and its shaders go to the browser as they are, so naming it here is enough. Nothing
 * happens without WebGPU, or when it is done already.
 */
export function installSubgroups(realm: { readonly GPUAdapter?: { readonly prototype: object } } = globalThis): void {
  const prototype = realm.GPUAdapter?.prototype as (Adapter & { [wrapped]?: boolean }) | undefined;
  if (prototype === undefined || prototype[wrapped] === true) return;
  const original = prototype.requestDevice;
  prototype.requestDevice = function requestDevice(this: Adapter, descriptor: DeviceDescriptor = {}): Promise<unknown> {
    const asked = new Set(descriptor.requiredFeatures ?? []);
    if (this.features.has("subgroups")) asked.add("subgroups");
    return original.call(this, { ...descriptor, requiredFeatures: [...asked] });
  };
  prototype[wrapped] = true;
}
