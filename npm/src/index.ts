export { Engine } from "./engine.js";
export { GoldcrestError } from "./errors.js";
export type { ErrorCode, ErrorData, ErrorDetails, KnownErrorCode } from "./errors.js";
export { Goldcrest } from "./goldcrest.js";
export type { GoldcrestApi } from "./goldcrest.js";
export type * from "./types.js";
export type * from "./api/types.js";
export { VERSION } from "./version.js";
