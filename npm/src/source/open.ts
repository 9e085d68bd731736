import { openRemote } from "../cache/download.js";
import type { DownloadOptions, DownloadTools, RemoteFile } from "../cache/remote.js";
import type { OpenSource } from "../core/bytes.js";
import { BlobSource } from "./blob.js";
import { hubFileUrl, locateOnHub } from "./hub.js";
import { FileSource } from "./node.js";
import type { SourceRef } from "./resolve.js";

/** Opens a source for reading. `tools` is asked for only by sources that are fetched. */
export async function openSource(
  ref: SourceRef,
  hub: string,
  tools: () => Promise<DownloadTools>,
  options: DownloadOptions,
): Promise<OpenSource> {
  if (ref.kind === "blob") return new BlobSource(ref.blob);
  if (ref.kind === "path") return FileSource.open(ref.path);
  const ready = await tools();
  return openRemote(remoteFile(ref, hub, ready), ready, { ...options, sha256: options.sha256 ?? knownSum(ref) });
}

function remoteFile(ref: SourceRef & { kind: "url" | "hub" }, hub: string, tools: DownloadTools): RemoteFile {
  if (ref.kind === "url") return { source: ref.source, locate: async () => ({ url: ref.url, size: null, sha256: null }) };
  const { address, size, sha256, source } = ref;
  return {
    source,
    locate: async (signal) =>
      address.file !== null && sha256 !== null
        ? { url: hubFileUrl(address, address.file, hub), size, sha256 }
        : locateOnHub(address, hub, tools.network, signal),
  };
}

function knownSum(ref: SourceRef): string | null {
  return ref.kind === "hub" ? ref.sha256 : null;
}
