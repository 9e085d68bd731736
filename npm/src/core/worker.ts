import { serve, type WorkerPort } from "./server.js";
import { LocalCore } from "./local.js";
import { platformRealm } from "./realm.js";

serve(globalThis as unknown as WorkerPort, new LocalCore(platformRealm()));
