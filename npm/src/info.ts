import type { EngineFacts, ModelFacts, OtherFacts, PlanFacts } from "./core/facts.js";
import type { EngineInfo, ModelInfo, ModelPlan } from "./types.js";

/** What the engine says of itself, in this package's spelling. */
export function toInfo(facts: EngineFacts, other: OtherFacts | undefined, worker: boolean): EngineInfo {
  return {
    model: toModel(facts.model),
    adapter: { ...facts.adapter },
    backend: facts.backend,
    features: [...facts.features],
    profile: facts.profile,
    contextLength: facts.context_length,
    memory: toMemory(facts.memory),
    other: other === undefined ? null : { model: toModel(other.model), memory: toMemory(other.memory) },
    notes: [...facts.notes],
    worker,
  };
}

/** A plan in this package's spelling. */
export function toPlan(facts: PlanFacts): ModelPlan {
  const { memory, remaining, free } = facts;
  return {
    model: toModel(facts.model),
    memory: {
      weights: memory.weights,
      kvPerToken: memory.kv_per_token,
      kv: memory.kv,
      scratch: memory.scratch,
      total: memory.total,
      contextLength: memory.context_length,
    },
    fileBytes: facts.file_bytes,
    download: { remaining, free, fits: free === null ? null : remaining <= free },
    adapter: facts.adapter,
  };
}

function toMemory(memory: EngineFacts["memory"]): EngineInfo["memory"] {
  return { weights: memory.weights, kvPerToken: memory.kv_per_token, scratch: memory.scratch, total: memory.total };
}

function toModel(model: ModelFacts): ModelInfo {
  return {
    name: model.name,
    arch: model.arch,
    fileType: model.file_type,
    nParams: model.n_params,
    nLayers: model.n_layers,
    nCtxTrain: model.n_ctx_train,
    nVocab: model.n_vocab,
    chatTemplate: model.chat_template,
  };
}
