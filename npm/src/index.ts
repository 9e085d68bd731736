export { GoldcrestError } from "./errors.js";
export type { ErrorCode, ErrorData, ErrorDetails, KnownErrorCode } from "./errors.js";
export type * from "./types.js";
export type * from "./api/types.js";
